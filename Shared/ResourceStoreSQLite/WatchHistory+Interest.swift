import Model
import ResourceStore

extension WatchHistory {
    /// Which changes a watch or a list is about; nil means any.
    struct Interest: Hashable {
        let plural: String
        let namespace: String?
        let name: String?
    }
}

extension WatchHistory.Interest {
    init(_ query: WatchQuery) {
        self.init(plural: query.plural, namespace: query.namespace, name: Self.name(query.fields))
    }

    init(_ query: ListQuery) {
        self.init(plural: query.plural, namespace: query.namespace, name: Self.name(query.fields))
    }

    private static func name(_ fields: FieldSelector) -> String? {
        fields.requirements.first { $0.field == "metadata.name" && $0.isEqual }?.value
    }

    func includes(_ key: ObjectKey) -> Bool {
        key.plural == plural && (namespace == nil || namespace == key.namespace) && (name == nil || name == key.name)
    }

    /// All interests that include `key`.
    static func including(_ key: ObjectKey) -> [Self] {
        [
            Self(plural: key.plural, namespace: nil, name: nil), Self(plural: key.plural, namespace: key.namespace, name: nil),
            Self(plural: key.plural, namespace: nil, name: key.name), Self(plural: key.plural, namespace: key.namespace, name: key.name),
        ]
    }
}
