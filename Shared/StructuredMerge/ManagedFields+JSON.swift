import JSONCoding
import Model

extension ManagedFields {
    /// `metadata.managedFields`: appliers first, then by time and name, so that equal owners have equal bytes.
    public var json: JSON {
        .array(entries.sorted(by: Self.isBefore).map(Self.json))
    }

    private static func isBefore(_ left: (key: Owner, value: Entry), _ right: (key: Owner, value: Entry)) -> Bool {
        if left.key.operation != right.key.operation { return left.key.operation.rawValue < right.key.operation.rawValue }
        let (before, after) = (left.value.time?.microseconds ?? 0, right.value.time?.microseconds ?? 0)
        return before != after ? before < after : left.key < right.key
    }

    private static func json(_ manager: Owner, _ entry: Entry) -> JSON {
        var members: [String: JSON] = [
            "operation": .string(manager.operation.rawValue), "apiVersion": .string(entry.apiVersion), "fieldsType": "FieldsV1",
            "fieldsV1": entry.fields.fieldsV1,
        ]
        if !manager.name.isEmpty { members["manager"] = .string(manager.name) }
        if !manager.subresource.isEmpty { members["subresource"] = .string(manager.subresource) }
        if let time = entry.time { members["time"] = .string(time.description) }
        return .object(members)
    }

    /// Reads `metadata.managedFields`; nil for what is none. Nothing at all is nobody.
    public init?(json: JSON?) {
        guard let json, !json.isNull else { return }
        guard case .array(let list) = json, list.count <= Self.entriesMax else { return nil }
        for item in list {
            guard let (manager, entry) = Self.read(item) else { return nil }
            let fields = entries[manager]?.fields.union(entry.fields) ?? entry.fields
            self[manager] = Entry(apiVersion: entry.apiVersion, time: entry.time, fields: fields)
        }
    }

    private static func read(_ json: JSON) -> (Owner, Entry)? {
        guard let operation = json["operation"]?.stringValue.flatMap(Operation.init(rawValue:)),
            let apiVersion = json["apiVersion"]?.stringValue, !apiVersion.isEmpty,
            ["FieldsV1", nil].contains(json["fieldsType"]?.stringValue), let fields = FieldSet(fieldsV1: json["fieldsV1"] ?? [:])
        else { return nil }
        var time: Timestamp?
        if let text = json["time"]?.stringValue {
            guard let parsed = Timestamp(text) else { return nil }
            time = parsed.wholeSeconds
        }
        let name = json["manager"]?.stringValue ?? ""
        let subresource = json["subresource"]?.stringValue ?? ""
        guard name.utf8.count <= nameBytesMax, subresource.utf8.count <= nameBytesMax else { return nil }
        return (
            Owner(name, operation, apiVersion: apiVersion, subresource: subresource),
            Entry(apiVersion: apiVersion, time: time, fields: fields)
        )
    }

    /// Whether a request asks for the owners to be forgotten: by a list of one empty entry, as in Kubernetes.
    public static func isReset(_ json: JSON?) -> Bool { json == [[:]] }

    /// A manager's name at most.
    public static let nameBytesMax = 128
}
