import JSONCoding

/// The `spec` of a kind; it names the kind and its `status`.
public protocol ResourceSpec: Codable, Sendable, Hashable {
    associatedtype Status: Codable, Sendable, Hashable

    /// Names, scope, columns and selectable fields.
    static var names: ResourceNames { get }
    static var specSchema: Schema { get }
    static var statusSchema: Schema { get }

    /// What no schema can say: rules between fields, and between an object and its former version (nil at creation).
    static func faults(in object: Resource<Self>, replacing old: Resource<Self>?) -> [FieldFault]
    /// What is allowed but probably not meant; sent as `Warning` headers.
    static func warnings(about object: Resource<Self>) -> [String]
    /// Fills in what depends on other fields; runs before validation.
    static func complete(_ object: inout Resource<Self>)
}

extension ResourceSpec {
    public static func faults(in object: Resource<Self>, replacing old: Resource<Self>?) -> [FieldFault] { [] }
    public static func warnings(about object: Resource<Self>) -> [String] { [] }
    public static func complete(_ object: inout Resource<Self>) {}
}

/// A kind whose objects have members of their own beside the envelope's, and neither a spec nor a status: Kubernetes' first kinds.
public protocol PlainResource: Codable, Sendable, Hashable {
    static var names: ResourceNames { get }
    /// What an object has beside `apiVersion`, `kind` and `metadata`.
    static var members: [SchemaProperty] { get }

    /// What no schema can say.
    static func faults(in object: Self) -> [FieldFault]
}

/// An object of the API: the Kubernetes envelope around a spec and a status.
public struct Resource<Spec: ResourceSpec>: Codable, Sendable, Hashable {
    public var apiVersion: String
    public var kind: String
    public var metadata: ObjectMeta
    public var spec: Spec
    public var status: Spec.Status?

    public init(metadata: ObjectMeta, spec: Spec, status: Spec.Status? = nil) {
        apiVersion = Spec.names.groupVersion.text
        kind = Spec.names.kind
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    /// The kind that this object is of.
    public static var definition: ResourceDefinition { ResourceDefinition(Spec.self) }

    public var name: String { metadata.name }
    public var namespace: String { metadata.namespace ?? "" }
    /// The uid; empty before the server gave one.
    public var uid: UID { metadata.uid ?? UID("") }
}

public enum ResourceScope: String, Sendable {
    case cluster = "Cluster"
    case namespaced = "Namespaced"
}

/// A column of `kubectl get`.
public struct PrinterColumn: Sendable {
    public enum Source: Sendable {
        /// Members from the root: `["status", "phase"]`.
        case path([String])
        /// A time shown as an age, such as `5m`.
        case age([String])
        /// Worked out from the whole object; the second argument is now.
        case computed(@Sendable (JSON, Timestamp) -> String)
        /// Worked out from the values at these paths (`MemberSelection`); nil is what is not there. Cheaper than `computed`, for which the whole
        /// object is built.
        case derived(from: [[String]], @Sendable ([JSON?], Timestamp) -> String)
    }

    public var name: String
    /// An OpenAPI type: string, integer, boolean or date.
    public var type: String
    public var description: String
    /// Above 0 only in `-o wide`.
    public var priority: Int
    public var source: Source

    /// What of an object the column reads, for a `MemberSelection`.
    public var reads: [[String]] {
        switch source {
        case .path(let path), .age(let path): [path]
        case .computed: [[]]
        case .derived(let paths, _): paths
        }
    }

    /// What is printed, given the values at `reads`: of any type for a path, else text; null for nothing, and for no age.
    public func cell(_ values: ArraySlice<JSON?>, now: Timestamp) -> JSON {
        switch source {
        case .path: return (values.first ?? nil) ?? .null
        case .age:
            return Self.age(values.first ?? nil, now: now).map(JSON.string) ?? .null
        case .computed(let compute): return .string(compute((values.first ?? nil) ?? .null, now))
        case .derived(_, let derive): return .string(derive(Array(values), now))
        }
    }

    /// The age that an `age` column prints of a time; nil where it is none.
    public static func age(_ time: JSON?, now: Timestamp) -> String? {
        guard case .string(let text)? = time, let time = Timestamp(text) else { return nil }
        return DurationText.age(seconds: now.seconds(since: time))
    }

    public init(_ name: String, _ source: Source, _ description: String, type: String = "string", priority: Int = 0) {
        self.name = name
        self.type = type
        self.description = description
        self.priority = priority
        self.source = source
    }
}

/// How a kind is called, where it lives, and how it is shown and selected.
public struct ResourceNames: Sendable {
    public var groupVersion: GroupVersion
    public var kind: String
    public var plural: String
    public var singular: String
    public var shortNames: [String]
    public var scope: ResourceScope
    public var description: String
    /// Printed beside Name, in this order.
    public var columns: [PrinterColumn]
    /// Dotted paths that field selectors may name, besides `metadata.name` and `metadata.namespace`.
    public var selectableFields: [String]
    /// How those of them are worked out that are no paths, or not the ones that they look like.
    public var derivedFields: [String: @Sendable (JSON) -> String?]
    /// Whether Name is the first column, as it is of most kinds; else it is the last one, and in `-o wide` alone.
    public var isNameFirst: Bool

    public init(
        groupVersion: GroupVersion = .diagnosis, kind: String, plural: String, shortNames: [String], scope: ResourceScope,
        description: String, columns: [PrinterColumn], selectableFields: [String] = [],
        derivedFields: [String: @Sendable (JSON) -> String?] = [:], isNameFirst: Bool = true
    ) {
        self.groupVersion = groupVersion
        self.kind = kind
        self.plural = plural
        singular = kind.lowercased()
        self.shortNames = shortNames
        self.scope = scope
        self.description = description
        self.columns = columns
        self.selectableFields = selectableFields
        self.derivedFields = derivedFields
        self.isNameFirst = isNameFirst
    }
}

/// A kind as a value: what generic code (API, store, client, documents) knows of it.
public struct ResourceDefinition: Sendable {
    public var names: ResourceNames
    /// What an object has beside `apiVersion`, `kind` and `metadata`.
    public var members: [SchemaProperty]

    /// Holds an object that passed the schema against the kind's own rules, with its former version where there is one.
    public var faults: @Sendable (_ object: JSON, _ old: JSON?) throws -> [FieldFault]
    public var warnings: @Sendable (_ object: JSON) throws -> [String]
    /// Fills in what depends on other fields.
    public var complete: @Sendable (_ object: JSON) throws -> JSON

    public init<Spec: ResourceSpec>(_ type: Spec.Type) {
        names = Spec.names
        members = [
            .required("spec", Spec.specSchema.used("What is wanted.")),
            .optional("status", Spec.statusSchema.used("How it stands; written by the server, and ignored in what clients write.")),
        ]
        faults = { object, old in
            Spec.faults(in: try object.decode(Resource<Spec>.self), replacing: try old?.decode(Resource<Spec>.self))
        }
        warnings = { object in
            Spec.warnings(about: try object.decode(Resource<Spec>.self))
        }
        complete = { object in
            let before = try object.decode(Resource<Spec>.self)
            var after = before
            Spec.complete(&after)
            return after == before ? object : try JSON(encoding: after)
        }
    }

    public init<Object: PlainResource>(_ type: Object.Type) {
        names = Object.names
        members = Object.members
        faults = { object, _ in Object.faults(in: try object.decode(Object.self)) }
        warnings = { _ in [] }
        complete = { object in
            _ = try object.decode(Object.self)
            return object
        }
    }

    /// Whether its objects have a `spec`, and so a generation.
    public var hasSpec: Bool { members.contains { $0.name == "spec" } }
    /// Whether its objects have a `status`, which is a subresource.
    public var hasStatus: Bool { members.contains { $0.name == "status" } }

    public var kind: String { names.kind }
    public var plural: String { names.plural }
    public var groupVersion: GroupVersion { names.groupVersion }
    /// `operations.diagnosis.kubediag.org`, or `events`: as error messages name a kind.
    public var groupResource: String { groupVersion.group.isEmpty ? plural : "\(plural).\(groupVersion.group)" }

    /// The schema of the whole object.
    public var schema: Schema {
        Schema.object(
            names.description,
            [
                .required("apiVersion", .choice("The version of the kind that the object is written in.", [groupVersion.text])),
                .required("kind", .choice("The kind of the object.", [names.kind])),
                .required("metadata", ObjectMeta.schema.used("The object's name, labels, and what the server keeps about it.")),
            ] + members
        ).named(names.kind)
    }

    /// The schema of a list of objects; nothing is admitted by it.
    public var listSchema: Schema {
        Schema.object(
            "A list of \(names.plural).",
            [
                .required("apiVersion", .choice("The version of the list.", [groupVersion.text])),
                .required("kind", .choice("The kind of the list.", ["\(names.kind)List"])),
                .required("metadata", ListMeta.schema),
                .required("items", Schema(.array(items: schema, itemsMin: 0, itemsMax: .max), "The objects of the page.")),
            ]
        ).named("\(names.kind)List")
    }

    /// `/apis/diagnosis.kubediag.org/v1[/namespaces/NS]/PLURAL`, or below `/api/v1` for a core kind; an empty namespace means all of them, or a cluster-scoped kind.
    public func path(namespace: String = "", name: String? = nil, subresource: String? = nil) -> String {
        let prefix = "/\(groupVersion.path)"
        let scope = names.scope == .namespaced && !namespace.isEmpty ? "/namespaces/\(namespace)" : ""
        return prefix + scope + "/\(names.plural)" + (name.map { "/\($0)" } ?? "") + (subresource.map { "/\($0)" } ?? "")
    }

    /// The values of the selectable fields of an object; absent ones are left out.
    public func selectableValues(of object: JSON) -> [String: String] {
        var values: [String: String] = [:]
        for field in names.selectableFields {
            if let derive = names.derivedFields[field] {
                values[field] = derive(object)
                continue
            }
            var current: JSON? = object
            for member in field.split(separator: ".") {
                guard case .object(let members)? = current else {
                    current = nil
                    break
                }
                current = members[String(member)]
            }
            switch current {
            case .string(let text)?: values[field] = text
            case .integer(let number)?: values[field] = String(number)
            case .bool(let flag)?: values[field] = flag ? "true" : "false"
            default: break
            }
        }
        return values
    }
}
