internal import CSpawn
import Glibc

/// The part of the cgroup v2 hierarchy in which this process makes the groups of its runs.
public struct ControlGroupTree: Sendable, Equatable {
    /// Why there is none.
    public struct Unavailable: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String

        init(_ description: String) { self.description = description }
    }

    private static let wanted = ["memory", "cpu", "pids"]

    /// The group in which they are made.
    public let path: String
    /// Which of `memory`, `cpu` and `pids` they have.
    public let controllers: Set<String>
    /// Why they don't have the others, in words; nil where they have all.
    public let cause: String?

    /// Makes a group that was set aside for this process ready for groups below it: it holds no process itself, and passes its controllers on.
    public init(preparing path: String) throws(Unavailable) {
        guard let available = ProcFS.read("\(path)/cgroup.controllers", bytesMax: 4096) else {
            throw Unavailable("\(path) is no group of cgroup version 2")
        }
        let isRoot = ProcFS.read("\(path)/cgroup.events") == nil
        guard isRoot || ProcFS.read("\(path)/cgroup.procs")?.isEmpty == true else {
            throw Unavailable("\(path) has processes in it, so that it can't pass controllers on")
        }
        let names = Set(String(decoding: available, as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init))
        var controllers: Set<String> = []
        var faults: [String] = []
        for name in Self.wanted {
            guard names.contains(name) else {
                faults.append("\(path) has no \(name) controller")
                continue
            }
            let code = ControlGroup.write("+\(name)", to: "\(path)/cgroup.subtree_control")
            if code == 0 {
                controllers.insert(name)
            } else {
                faults.append("+\(name) to \(path)/cgroup.subtree_control: \(Self.text(code))")
            }
        }
        guard access(path, W_OK) == 0 else { throw Unavailable("\(path) is not writable") }
        self.controllers = controllers
        cause = faults.isEmpty ? nil : faults.joined(separator: "; ")
        self.path = path
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// The group of this process where it has been delegated to it (as by systemd's `Delegate=`). The process moves into a group `agent` below.
    ///
    /// - Parameter processFiles: `/proc/self`.
    public init(delegatedTo processFiles: String = "/proc/self") throws(Unavailable) {
        guard let own = Self.ownGroup(processFiles) else { throw Unavailable("no cgroup version 2 is mounted here") }
        // A service manager may have put the process into a group below already.
        guard let delegated = [own, Self.parent(of: own)].first(where: Self.isDelegated) else {
            throw Unavailable("\(own) is not delegated to this process (systemd: Delegate=yes)")
        }
        let leaf = "\(delegated)/agent"
        if delegated == own {
            guard mkdir(leaf, 0o755) == 0 || errno == EEXIST else { throw Unavailable("\(leaf): \(Self.text(errno))") }
            let code = ControlGroup.write("0", to: "\(leaf)/cgroup.procs")
            guard code == 0 else { throw Unavailable("\(leaf)/cgroup.procs: \(Self.text(code))") }
        }
        try self.init(preparing: delegated)
    }

    /// A group below it. The name must be one that no other run has.
    public func group(_ name: String, _ settings: [ControlGroup.Setting]) -> ControlGroup {
        ControlGroup(path: "\(path)/\(name)", settings: settings)
    }

    /// Ends the groups that a predecessor left, by the beginning of their names.
    ///
    /// - Returns: how many there were.
    public func endLeftovers(prefix: String) -> Int {
        let names = ProcFS.names(in: path).filter { $0.hasPrefix(prefix) }
        for name in names { _ = group(name, []).end() }
        return names.count
    }

    /// The folder of the group that a process is in, nil where no version 2 hierarchy is mounted.
    static func ownGroup(_ processFiles: String) -> String? {
        func lines(_ name: String) -> [Substring] {
            String(decoding: ProcFS.read("\(processFiles)/\(name)") ?? [], as: UTF8.self).split(separator: "\n")
        }
        guard let line = lines("cgroup").first(where: { $0.hasPrefix("0::/") }) else { return nil }
        let group = line.dropFirst(3)
        for mount in lines("mountinfo") {
            let fields = mount.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash > 5, fields.count > dash + 1, fields[dash + 1] == "cgroup2" else { continue }
            let root = fields[3] == "/" ? "" : fields[3]
            guard group == root || group.hasPrefix("\(root)/") else { continue }
            let below = group.dropFirst(root.count)
            return "\(fields[4])\(below == "/" ? "" : below)"
        }
        return nil
    }

    private static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
    }

    private static func isDelegated(_ path: String) -> Bool {
        ["trusted.delegate", "user.delegate"].contains { (name: String) in cspawn_attribute_is_set(path, name) == 1 }
    }
}
