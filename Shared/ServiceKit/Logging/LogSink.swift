import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Where log lines go: a bounded buffer in front of a file descriptor, emptied by a queue of its own.
///
/// A handler never waits for a slow reader of the log: past `bufferBytesMax` lines are dropped and counted, and the count is written as a line of its own as soon
/// as there is room. `flush()` before the process ends.
public final class LogSink: Sendable {
    public static let bufferBytesMax = 1 << 20

    /// The process's standard error stream.
    public static let standardError = LogSink(descriptor: STDERR_FILENO)

    private struct State {
        var buffer: [UInt8] = []
        var linesDropped = 0
        var isDraining = false
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "log")
    private let descriptor: Int32
    private let droppedTotal = Atomic<Int>(0)

    /// The descriptor is not closed by the sink.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Lines that found the buffer full since the process began.
    public var linesDroppedTotal: Int { droppedTotal.load(ordering: .relaxed) }

    func write(_ line: [UInt8]) {
        let startsDrain = state.withLock { state in
            guard state.buffer.count + line.count <= Self.bufferBytesMax else {
                state.linesDropped += 1
                droppedTotal.add(1, ordering: .relaxed)
                return false
            }
            state.buffer += line
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if startsDrain {
            queue.async { self.drain() }
        }
    }

    /// Returns once everything written before is handed to the descriptor.
    public func flush() {
        queue.sync { self.drain() }
    }

    private func drain() {
        while true {
            let bytes = state.withLock { state in
                var taken: [UInt8] = []
                swap(&taken, &state.buffer)
                if state.linesDropped > 0 {
                    taken += "{\"level\":\"error\",\"message\":\"log lines were dropped\",\"count\":\(state.linesDropped)}\n".utf8
                    state.linesDropped = 0
                }
                if taken.isEmpty { state.isDraining = false }
                return taken
            }
            if bytes.isEmpty { return }
            writeWhole(bytes)
        }
    }

    private func writeWhole(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let (count, code) = rest.withUnsafeBytes { buffer in
                let count = Glibc.write(descriptor, buffer.baseAddress, buffer.count)
                return (count, errno)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if code == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, 1000)
            } else if code != EINTR {
                // Nobody reads any more; there is nowhere left to say so.
                return
            }
        }
    }
}
