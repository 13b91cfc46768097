import Foundation
import TestSupport

/// A program that runs beside the test, in a process group of its own, which is killed when it is let go.
///
/// It begins with no signal blocked: the threads on which tests run block most of them, and a child inherits that.
final class ChildProcess: Sendable {
    let pid: pid_t

    init(_ path: String, _ arguments: [String]) throws {
        var attributes = posix_spawnattr_t()
        var actions = posix_spawn_file_actions_t()
        posix_spawnattr_init(&attributes)
        posix_spawn_file_actions_init(&actions)
        defer {
            posix_spawnattr_destroy(&attributes)
            posix_spawn_file_actions_destroy(&actions)
        }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        for descriptor in 0...2 { posix_spawn_file_actions_addopen(&actions, Int32(descriptor), "/dev/null", O_RDWR, 0) }
        var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        var code = posix_spawn(&pid, path, &actions, &attributes, &pointers, environ)
        // A child of another test, between fork and exec, holds what this one has just written.
        for _ in 0..<200 where code == ETXTBSY {
            usleep(5000)
            code = posix_spawn(&pid, path, &actions, &attributes, &pointers, environ)
        }
        guard code == 0 else { throw StartFailure(description: "\(path): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    struct StartFailure: Error, CustomStringConvertible {
        let description: String
    }

    static func sleeper() throws -> ChildProcess { try ChildProcess("/bin/sleep", ["60"]) }

    var isRunning: Bool { !ProcessTable.hasEnded(pid) }

    /// `S` while it sleeps, `T` when it is stopped, `t` when a debugger has it.
    var state: String { get throws { try Self.state(of: pid) } }

    static func state(of pid: pid_t) throws -> String {
        let words = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).split(separator: " ")
        return words.count > 2 ? String(words[2]) : ""
    }

    /// Its children, once it has some.
    var children: [pid_t] {
        get async throws {
            let path = "/proc/\(pid)/task/\(pid)/children"
            var found: [pid_t] = []
            _ = try await eventually {
                found = try String(contentsOfFile: path, encoding: .utf8).split(separator: " ").compactMap { pid_t($0) }
                return !found.isEmpty
            }
            return found
        }
    }

    deinit {
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }
}
