internal import CSpawn
import Glibc

/// The three pipes of a child; -1 marks an end that is closed.
struct Pipes {
    struct Pipe {
        var read: Int32 = -1
        var write: Int32 = -1
    }

    var input = Pipe()
    var output = Pipe()
    var error = Pipe()

    init() throws(ProcessError) {
        do throws(ProcessError) {
            input = try Self.pipe()
            output = try Self.pipe()
            error = try Self.pipe()
            // Each end of a pipe has flags of its own: the child's ends stay blocking.
            for end in [input.write, output.read, error.read] {
                let code = cspawn_set_nonblocking(end)
                guard code >= 0 else { throw .system(call: "fcntl", errno: -code) }
            }
        } catch {
            closeAll()
            throw error
        }
    }

    private static func pipe() throws(ProcessError) -> Pipe {
        var ends: [Int32] = [-1, -1]
        let code = cspawn_pipe(&ends)
        guard code >= 0 else { throw .resourcesExhausted(call: "pipe2", errno: -code) }
        return Pipe(read: ends[0], write: ends[1])
    }

    /// Writes what fits before the child starts; where that is all, the pipe is closed and needs no watching.
    ///
    /// - Returns: how many bytes are in.
    mutating func feed(_ bytes: [UInt8]) throws(ProcessError) -> Int {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { write(input.write, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return offset }
            guard count >= 0 else { throw .system(call: "write", errno: errno) }
            offset += count
        }
        Self.close(&input.write)
        return offset
    }

    mutating func closeChildEnds() {
        Self.close(&input.read)
        Self.close(&output.write)
        Self.close(&error.write)
    }

    mutating func closeAll() {
        closeChildEnds()
        Self.close(&input.write)
        Self.close(&output.read)
        Self.close(&error.read)
    }

    static func close(_ fd: inout Int32) {
        if fd >= 0 { Glibc.close(fd) }
        fd = -1
    }
}

enum StandardDescriptors {
    static func reserve() throws(ProcessError) {
        let code = cspawn_reserve_standard_descriptors()
        guard code == 0 else { throw .system(call: "open /dev/null", errno: -code) }
    }
}
