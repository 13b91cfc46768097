import DirectoryEntries
#if canImport(Glibc)
    import Glibc
#endif

/// Who listens on a port of this machine, from /proc (proc(5)).
struct PortHolder: Sendable, Equatable {
    let command: String
    let processID: Int32

    /// Whether nobody listens on the port of 127.0.0.1.
    static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0
    }

    /// Nil where nobody is found: another user's process does not show its sockets.
    static func find(port: Int) -> PortHolder? {
        let inodes = Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listeningInodes($0, port: port) })
        guard !inodes.isEmpty, let directory = opendir("/proc") else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            guard let process = Int32(DirectoryStream.name(of: entry)), holds(process, inodes) else { continue }
            return PortHolder(command: command(of: process), processID: process)
        }
        return nil
    }

    /// Inodes of the sockets that listen on `port`: state 0A, local address in hexadecimal.
    private static func listeningInodes(_ path: String, port: Int) -> [String] {
        contents(path).split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A", let hex = fields[1].split(separator: ":").last, Int(hex, radix: 16) == port else {
                return nil
            }
            return String(fields[9])
        }
    }

    private static func holds(_ process: Int32, _ inodes: Set<String>) -> Bool {
        let path = "/proc/\(process)/fd"
        guard let directory = opendir(path) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            var buffer = [CChar](repeating: 0, count: 128)
            let count = readlink("\(path)/\(DirectoryStream.name(of: entry))", &buffer, buffer.count)
            guard count > 0 else { continue }
            let target = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
            if target.hasPrefix("socket:["), inodes.contains(String(target.dropFirst(8).dropLast())) { return true }
        }
        return false
    }

    private static func command(of process: Int32) -> String {
        let text = contents("/proc/\(process)/comm")
        return text.isEmpty ? "?" : String(text.prefix { $0 != "\n" })
    }

    private static func contents(_ path: String) -> String {
        do {
            return String(decoding: try FileSystem.read(path, bytesMax: 64 << 20), as: UTF8.self)
        } catch {
            return ""
        }
    }
}
