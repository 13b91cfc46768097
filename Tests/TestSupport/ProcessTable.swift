import Foundation

/// Processes as the kernel knows them. Foundation's `waitUntilExit` blocks a thread of the cooperative pool, of which a small machine has two.
package enum ProcessTable {
    /// Whether the process has ended, all of its threads: it is gone, or a zombie that its parent has not reaped yet.
    package static func hasEnded(_ pid: Int32) -> Bool {
        if kill(pid, 0) != 0 { return true }
        guard let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task"), threads.count == 1,
            let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let name = stat.lastIndex(of: ")")
        else { return kill(pid, 0) != 0 }
        // The state follows the name in parentheses (proc(5)). The first thread may be a zombie while others still hold files open.
        return stat[name...].split(separator: " ").dropFirst().first == "Z"
    }

    /// Runs a short command to its end; throws where it fails.
    package static func run(_ arguments: String...) throws {
        var pid: pid_t = 0
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        guard posix_spawnp(&pid, arguments[0], nil, nil, &pointers, environ) == 0 else {
            throw Cluster.Failure(description: "\(arguments[0]) could not be started")
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw Cluster.Failure(description: "\(arguments) failed; these tests run as root") }
    }
}
