/// The control groups of a process, from /proc/PID/cgroup (cgroups(7)).
package struct CgroupMembership: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        /// 0 for cgroup v2.
        package var hierarchy: UInt64
        package var controllers: [String]
        package var path: String
    }

    package static let entriesMax = 64
    package private(set) var entries: [Entry] = []

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) {
            guard entries.count < Self.entriesMax else { return }
            guard let hierarchy = line.range(before: 0x3A).flatMap({ Number.decimal(bytes, $0) }), let controllers = line.text(before: 0x3A)
            else { continue }
            let path = line.text(in: line.position..<line.end)
            entries.append(Entry(hierarchy: hierarchy, controllers: controllers.split(separator: ",").map(String.init), path: path))
        }
    }

    /// The path in cgroup v2.
    package var unified: String? { entries.first { $0.hierarchy == 0 }?.path }

    package func path(of controller: String) -> String? {
        entries.first { $0.controllers.contains(controller) }?.path
    }

    /// The most telling path: of v2 where the process is in a group there, else of a v1 controller.
    package var mostSpecific: String? {
        let paths = [unified] + ["memory", "pids", "cpu", "name=systemd"].map { path(of: $0) }
        return paths.compactMap { $0 }.first { $0 != "/" } ?? unified
    }
}

/// What a control group's path says of the container, pod or unit in it, as container runtimes, the kubelet and systemd name groups.
package struct CgroupName: Sendable, Equatable {
    /// 64 hexadecimal digits.
    package var container: String?
    /// A pod's uid.
    package var pod: String?
    /// A unit of systemd (`.service`, `.scope` or `.slice`), the last one on the path that is no container's.
    package var unit: String?

    package init(_ path: String) {
        for part in path.split(separator: "/") {
            let name = part.split(separator: ":").last.map(String.init) ?? String(part)
            let stem = Self.stem(name)
            if let id = stem.split(separator: "-").last, id.utf8.count == 64, id.utf8.allSatisfy({ Number.hexDigit($0) != nil }) {
                container = String(id)
            } else if let uid = Self.podUID(stem) {
                pod = uid
            } else if stem.utf8.count < name.utf8.count, !name.hasPrefix("kubepods") {
                unit = name
            }
        }
    }

    private static func stem(_ name: String) -> String {
        for suffix in [".scope", ".service", ".slice"] where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
        return name
    }

    /// `pod<uid>` of the cgroupfs driver, `kubepods-…-pod<uid with _ for ->` of systemd's.
    private static func podUID(_ stem: String) -> String? {
        guard let last = stem.split(separator: "-", maxSplits: stem.hasPrefix("kubepods") ? 8 : 0).last(where: { $0.hasPrefix("pod") })
        else { return nil }
        let uid = last.dropFirst(3).map { $0 == "_" ? "-" : $0 }
        return uid.count == 36 || uid.count == 32 ? String(uid) : nil
    }

    /// For people: the container's first twelve digits, or the unit, or the path.
    package static func short(_ path: String) -> String {
        let name = CgroupName(path)
        if let container = name.container { return "container \(container.prefix(12))" }
        if let pod = name.pod { return "pod \(pod)" }
        return name.unit ?? path
    }
}
