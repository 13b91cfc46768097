internal import CSpawn
import Glibc

/// A control group (cgroups(7), version 2) for one run: made for it, joined before the program is executed, ended and removed with it.
public struct ControlGroup: Sendable, Equatable {
    /// A file of the group and what is written into it.
    public struct Setting: Sendable, Equatable {
        public let file: String
        public let value: String
        /// Whether a kernel without it will do.
        public let isOptional: Bool

        public init(_ file: String, _ value: String, isOptional: Bool = false) {
            self.file = file
            self.value = value
            self.isOptional = isOptional
        }
    }

    public let path: String
    public let settings: [Setting]

    public init(path: String, settings: [Setting]) {
        self.path = path
        self.settings = settings
    }

    /// Makes the group and opens it for joining.
    func make() throws(ProcessError) -> Int32 {
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system(call: "mkdir \(path)", errno: errno) }
        do throws(ProcessError) {
            try configure()
            let fd = cspawn_open("\(path)/cgroup.procs", O_WRONLY, 0)
            guard fd >= 0 else { throw .system(call: "open \(path)/cgroup.procs", errno: -fd) }
            return fd
        } catch {
            rmdir(path)
            throw error
        }
    }

    /// Writes the settings.
    func configure() throws(ProcessError) {
        for setting in settings {
            let code = Self.write(setting.value, to: "\(path)/\(setting.file)")
            if code == ENOENT, setting.isOptional { continue }
            guard code == 0 else { throw .system(call: "write \(setting.file)", errno: code) }
        }
    }

    /// Kills everything in the group.
    func kill() {
        if Self.write("1", to: "\(path)/cgroup.kill") == 0 { return }
        // Before Linux 5.14: what forks meanwhile is found the next time.
        for pid in processIDs { Glibc.kill(pid, SIGKILL) }
    }

    /// Kills what is left, waits up to a second for it to be gone and removes the group.
    ///
    /// - Returns: how often the kernel killed for memory.
    func end() -> Int {
        var round = 0
        while round < 500, isPopulated {
            if round % 50 == 0 { kill() }
            usleep(2_000)
            round += 1
        }
        let kills = Self.number("oom_kill", in: "\(path)/memory.events") ?? 0
        // A group whose processes hang in the kernel stays for the next start of this program.
        rmdir(path)
        return kills
    }

    private var isPopulated: Bool { Self.number("populated", in: "\(path)/cgroup.events") == 1 }

    private var processIDs: [Int32] {
        String(decoding: ProcFS.read("\(path)/cgroup.procs") ?? [], as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
    }

    /// A value of a flat keyed file.
    static func number(_ key: String, in file: String) -> Int? {
        for line in String(decoding: ProcFS.read(file, bytesMax: 64 * 1024) ?? [], as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == key { return Int(words[1]) }
        }
        return nil
    }

    /// Zero or an errno.
    static func write(_ value: String, to file: String) -> Int32 {
        let fd = cspawn_open(file, O_WRONLY | O_TRUNC, 0)
        guard fd >= 0 else { return -fd }
        defer { close(fd) }
        let bytes = Array(value.utf8)
        return bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) } == bytes.count ? 0 : errno
    }
}
