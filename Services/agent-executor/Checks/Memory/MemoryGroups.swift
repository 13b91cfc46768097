import AgentOperations
import NodeFacts

/// The memory of control groups, in the words of both versions.
enum MemoryGroups {
    struct Use: Sendable {
        var group: String
        var limit: UInt64
        /// What can't be given back: all but the inactive part of the page cache, as the kubelet counts it.
        var workingSet: UInt64
        var current: UInt64
        var kills: UInt64
        /// Times that the limit was hit and memory had to be reclaimed first.
        var limitHits: UInt64

        var percent: Double { workingSet.percent(of: limit) }
    }

    /// Nil where the machine has no memory controller.
    static func tree(_ files: HostFiles) throws(BuiltInFault) -> CgroupTree? {
        do throws(BuiltInFault) {
            return try CgroupTree("memory", files)
        } catch {
            if case .unavailable = error { return nil }
            throw error
        }
    }

    /// Kills in the group itself, those in groups below it left out where the kernel tells them apart.
    static func kills(_ group: String, _ tree: CgroupTree, _ files: HostFiles) throws(BuiltInFault) -> UInt64 {
        switch tree.version {
        case .one: return try tree.counters(group, "memory.oom_control", files)?["oom_kill"] ?? 0
        case .two:
            if let local = try tree.counters(group, "memory.events.local", files) { return local["oom_kill"] ?? 0 }
            return try tree.counters(group, "memory.events", files)?["oom_kill"] ?? 0
        }
    }

    /// The use of a group that has a limit; nil for one that has none, or is gone.
    static func use(_ group: String, _ tree: CgroupTree, _ files: HostFiles) throws(BuiltInFault) -> Use? {
        let isTwo = tree.version == .two
        guard let limit = try tree.limit(group, isTwo ? "memory.max" : "memory.limit_in_bytes", files),
            let current = try tree.number(group, isTwo ? "memory.current" : "memory.usage_in_bytes", files)
        else { return nil }
        let inactive = try tree.counters(group, "memory.stat", files)?[isTwo ? "inactive_file" : "total_inactive_file"] ?? 0
        let hits =
            isTwo
            ? try tree.counters(group, "memory.events", files)?["max"] ?? 0
            : try tree.number(group, "memory.failcnt", files) ?? 0
        return Use(
            group: group, limit: limit, workingSet: current.since(inactive), current: current, kills: try kills(group, tree, files),
            limitHits: hits)
    }
}
