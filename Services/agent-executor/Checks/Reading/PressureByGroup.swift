import AgentOperations
import NodeFacts

/// Who waits for a resource: pressure by control group.
enum PressureByGroup {
    static let offendersMax = 5

    struct Offender: Sendable {
        var group: String
        var share: Pressure.Share
    }

    /// The groups with the highest `some` share of the last minute, leaves before the parents that only sum them up.
    static func offenders(_ resource: String, _ files: HostFiles) throws(BuiltInFault) -> [Offender] {
        guard let tree = try CgroupTree.unified(files) else { return [] }
        var found: [String: Pressure.Share] = [:]
        for group in try tree.groups(files) {
            guard let text = try files.readable(tree.path(group, "\(resource).pressure"), bytesMax: 4096), let pressure = Pressure(text),
                pressure.some.hundredths60 > 0
            else { continue }
            found[group] = pressure.some
        }
        var parents: Set<String> = []
        for group in found.keys {
            var path = group[...]
            while let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex {
                path = path[..<slash]
                if !parents.insert(String(path)).inserted { break }
            }
        }
        return found.filter { !parents.contains($0.key) }.map { Offender(group: $0.key, share: $0.value) }
            .sorted { ($1.share.hundredths60, $0.group) < ($0.share.hundredths60, $1.group) }.prefix(offendersMax).map { $0 }
    }

    static func evidence(_ offenders: [Offender]) -> [Finding.Evidence] {
        offenders.map { Finding.Evidence("\(CgroupName.short($0.group)) waits, of 60 s", $0.share.percent60, unit: "percent") }
    }
}
