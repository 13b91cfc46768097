import Foundation
import Testing

/// A control group of a test, in whichever version the machine has.
struct TestControlGroup {
    let path: String
    private let folder: String
    var name: String { String(path.dropFirst()) }

    struct Refused: Error { let path: String }

    /// - Parameter settings: by their files' names; those that the version doesn't have are left out.
    init(_ controller: String, _ settings: [String: String]) throws {
        path = "/kubediag-test-\(UUID().uuidString.prefix(8))"
        let root =
            FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/\(controller)"
        folder = root + path
        guard mkdir(folder, 0o755) == 0 else { throw Refused(path: folder) }
        for (file, value) in settings where FileManager.default.fileExists(atPath: "\(folder)/\(file)") {
            try value.write(toFile: "\(folder)/\(file)", atomically: false, encoding: .utf8)
        }
    }

    /// A shell in the group, which ends with `end`.
    func start(_ script: String) throws -> TestChild {
        try TestChild("/bin/sh", ["-c", "set -e; echo $$ > \(folder)/cgroup.procs; \(script)"])
    }

    /// The signal that ended a shell in the group, or 0.
    func run(_ script: String) async throws -> Int32 {
        let child = try start(script)
        return try await eventually(seconds: 60) { child.signalIfEnded() }
    }

    /// Kills whatever runs in the group.
    func endAll() {
        let pids = (try? String(contentsOfFile: "\(folder)/cgroup.procs", encoding: .utf8)) ?? ""
        for pid in pids.split(separator: "\n").compactMap({ pid_t($0) }) { kill(pid, SIGKILL) }
    }

    func remove() {
        for _ in 0..<200 where rmdir(folder) != 0 && errno == EBUSY { usleep(10_000) }
    }
}

/// A child process of a test.
final class TestChild {
    let pid: pid_t
    private var status: Int32?

    struct NotStarted: Error {}

    init(_ path: String, _ arguments: [String]) throws {
        var pid: pid_t = 0
        var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        guard posix_spawn(&pid, path, nil, nil, &pointers, environ) == 0 else { throw NotStarted() }
        self.pid = pid
    }

    func signalIfEnded() -> Int32? {
        if let status { return status & 0x7F }
        var now: Int32 = 0
        guard waitpid(pid, &now, WNOHANG) == pid else { return nil }
        status = now
        return now & 0x7F
    }

    func end() {
        guard status == nil else { return }
        kill(pid, SIGKILL)
        var now: Int32 = 0
        while waitpid(pid, &now, 0) < 0, errno == EINTR {}
        status = now
    }

    deinit { end() }
}

/// Asks again until there is an answer.
func eventually<Value>(seconds: Double = 20, _ ask: () async throws -> Value?) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(seconds)
    while clock.now < deadline {
        if let value = try await ask() { return value }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw TimedOut()
}

struct TimedOut: Error {}
