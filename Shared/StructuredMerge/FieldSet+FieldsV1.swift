import JSONCoding

/// Kubernetes' `FieldsV1`: an object whose keys are path elements and whose values are what is below them. `{}` is a member, `.` within an
/// element says that it is a member itself beside what is below it
/// (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
extension FieldSet {
    /// Fields that a set read from a request has at most.
    public static let countMax = 100_000

    public var fieldsV1: JSON {
        var result: [String: JSON] = [:]
        for element in members where children[element] == nil { result[element.token] = [:] }
        for (element, set) in children {
            var below = set.fieldsV1
            if members.contains(element) { below["."] = [:] }
            result[element.token] = below
        }
        return .object(result)
    }

    /// Reads a set; nil for what is no `FieldsV1` of ours, too deep or too large.
    public init?(fieldsV1 json: JSON) {
        var room = Self.countMax
        guard let set = Self.read(json, depth: 1, &room) else { return nil }
        self = set
    }

    private static func read(_ json: JSON, depth: Int, _ room: inout Int) -> FieldSet? {
        guard case .object(let entries) = json, depth <= depthMax + 1, entries.count <= room else { return nil }
        room -= entries.count
        var set = FieldSet()
        for (token, below) in entries where token != "." {
            guard let element = PathElement(token: token), case .object(let inner) = below,
                let child = read(below, depth: depth + 1, &room)
            else { return nil }
            if inner.isEmpty || inner["."] != nil { set.insert(member: element) }
            set.set(child, below: element)
        }
        return set
    }
}
