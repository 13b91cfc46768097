/// A process that the kernel killed for want of memory, as its log tells.
package struct OutOfMemoryKill: Sendable, Equatable {
    /// Whose memory had run out.
    package enum Scope: String, Sendable { case machine, cgroup, cpuset, policy }

    package var pid: UInt64
    package var name: String
    package var scope: Scope
    /// Whose limit was reached, and where the process was.
    package var limitCgroup: String?
    package var taskCgroup: String?
    package var anonymousBytes: UInt64?
    package var sinceBootMicroseconds: UInt64?
    package var epochMicroseconds: UInt64?

    /// The kills among messages, oldest first. Kernels since 5.0 log a line `oom-kill:constraint=…` with the groups before that of the kill.
    package static func find(in messages: [KernelMessage]) -> [OutOfMemoryKill] {
        var kills: [OutOfMemoryKill] = []
        var details: [String: String] = [:]
        for message in messages {
            if message.text.utf8.starts(with: "oom-kill:".utf8) {
                details = pairs(message.text.dropFirst(9))
            } else if KernelFault(message.text) == .outOfMemory, let kill = kill(message, details) {
                // Kernels before 4.20 log a kill twice: `Kill process … or sacrifice child`, then `Killed process …`.
                if let last = kills.last, last.pid == kill.pid, message.text.hasPrefix("Killed process ") {
                    kills[kills.count - 1].anonymousBytes = kill.anonymousBytes
                } else {
                    kills.append(kill)
                }
                details = [:]
            }
        }
        return kills
    }

    private static func kill(_ message: KernelMessage, _ details: [String: String]) -> OutOfMemoryKill? {
        let bytes = Array(message.text.utf8)
        var words = Fields(bytes)
        while let word = words.text() {
            guard word == "process" else { continue }
            guard let pid = words.number() else { return nil }
            let rest = words.rest
            guard rest.first == "(" || rest.first == "," else { return nil }
            let isOwn = details["pid"] == "\(pid)"
            let own = isOwn ? details : [:]
            return OutOfMemoryKill(
                pid: pid, name: own["task"] ?? name(rest), scope: scope(message.text, own["constraint"]), limitCgroup: own["oom_memcg"],
                taskCgroup: own["task_memcg"], anonymousBytes: kilobytes(rest, "anon-rss:"),
                sinceBootMicroseconds: message.sinceBootMicroseconds, epochMicroseconds: message.epochMicroseconds)
        }
        return nil
    }

    private static func scope(_ text: String, _ constraint: String?) -> Scope {
        switch constraint {
        case "CONSTRAINT_MEMCG": .cgroup
        case "CONSTRAINT_CPUSET": .cpuset
        case "CONSTRAINT_MEMORY_POLICY": .policy
        case "CONSTRAINT_NONE": .machine
        default: text.hasPrefix("Memory cgroup") ? .cgroup : .machine
        }
    }

    /// `(name) …` or, in some kernels, `, UID 0, (name) …`.
    private static func name(_ rest: String) -> String {
        guard let open = rest.firstIndex(of: "("), let close = rest[open...].firstIndex(of: ")") else { return "" }
        return String(rest[rest.index(after: open)..<close])
    }

    private static func kilobytes(_ text: String, _ key: String) -> UInt64? {
        for word in text.split(separator: " ") where word.hasPrefix(key) {
            let digits = Array(word.dropFirst(key.utf8.count).utf8.prefix { (0x30...0x39).contains($0) })
            return Number.only(digits)?.saturatingMultiply(1024)
        }
        return nil
    }

    private static func pairs(_ text: Substring) -> [String: String] {
        var pairs: [String: String] = [:]
        for part in text.split(separator: ",").prefix(32) {
            guard let equals = part.firstIndex(of: "=") else { continue }
            pairs[String(part[..<equals])] = String(part[part.index(after: equals)...])
        }
        return pairs
    }
}
