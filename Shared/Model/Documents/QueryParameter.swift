import JSONCoding

/// A query parameter of the resource API, as every document tells it. Unknown ones are ignored, as kube-apiserver does.
public struct QueryParameter: Sendable {
    public let name: String
    /// Its description is the parameter's.
    public let schema: Schema
    public let example: String?

    private init(_ name: String, _ schema: Schema, example: String? = nil) {
        self.name = name
        self.schema = schema
        self.example = example
    }

    /// The Parameter Object.
    public var openAPI: JSON {
        var components = SchemaComponents()
        var schema = components.use(schema, isWritable: false)
        schema["description"] = nil
        var members: [String: JSON] = [
            "name": .string(name), "in": "query", "description": .string(self.schema.description), "schema": schema,
        ]
        if let example { members["example"] = .string(example) }
        return .object(members)
    }

    /// Every parameter, in the order in which documents list them.
    public static let all =
        selectors + reading + [watch, allowWatchBookmarks, sendInitialEvents, timeoutSeconds, includeObject] + writing
        + [force, gracePeriodSeconds, propagationPolicy, orphanDependents]
}

// MARK: - Reading

extension QueryParameter {
    static let selectors = [
        QueryParameter(
            "labelSelector",
            .string(
                """
                Labels to select by: `key=value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`, `key`, `!key`, separated by commas, of \
                which all have to hold.
                """, max: 8192),
            example: "app=web,tier!=db"),
        QueryParameter(
            "fieldSelector",
            .string(
                """
                Fields to select by: `metadata.name` and `metadata.namespace` of every kind, and of diagnoses `status.phase`, \
                `status.nodeName`, `spec.nodeName` and `spec.operationSet`. `=`, `==` and `!=`; an unknown field is a 400.
                """, max: 8192),
            example: "status.phase=Failed"),
    ]

    static let reading = [
        QueryParameter("limit", .integer("Objects on a page at most; all of them without it, and for 0.", 0...Int64.max)),
        QueryParameter(
            "continue",
            .string(
                """
                `metadata.continue` of the page before, whose selectors are to be the same: all pages show the state of the first one's \
                revision. 410 `Expired` once the history does not reach back to it, and after an hour; `metadata.continue` of that answer \
                goes on in the present.
                """, max: 8192)),
        QueryParameter(
            "resourceVersion",
            Schema(
                .string(StringRules(bytesMax: 19, pattern: "^[0-9]*$")),
                """
                The revision that a list is of, or that it is not to be older than, as `resourceVersionMatch` says; or the one behind \
                which a watch begins. 0 or none is the present state, whatever it is. One that is yet to come is a 504.
                """)),
        QueryParameter(
            "resourceVersionMatch",
            .choice(
                """
                How `resourceVersion` is meant: a list of exactly that revision, as far back as the history reaches, or of the present. \
                Where absent a list with `limit` is Exact, another one NotOlderThan. Of a watch: with `sendInitialEvents` alone.
                """, ["NotOlderThan", "Exact"])),
    ]

    static let watch = QueryParameter(
        "watch", .boolean("Streams the changes, one WatchEvent a line, instead of a list."))
    static let allowWatchBookmarks = QueryParameter(
        "allowWatchBookmarks",
        .boolean("Sends a BOOKMARK from time to time: how far the watch has come, so that it can be taken up there."))
    static let sendInitialEvents = QueryParameter(
        "sendInitialEvents",
        .boolean(
            """
            Whether a watch begins with the present objects, as ADDED; true needs `resourceVersionMatch=NotOlderThan` and, with bookmarks, \
            ends them with one annotated `k8s.io/initial-events-end`. Not of a list.
            """))
    static let timeoutSeconds = QueryParameter(
        "timeoutSeconds", .integer("How long a watch lasts at most: half an hour to an hour without it, an hour for more.", 0...Int64.max))
    static let includeObject = QueryParameter(
        "includeObject",
        .choice("What of the object stands in each row of a table; Metadata where absent.", ["None", "Metadata", "Object"]))
}

// MARK: - Writing

extension QueryParameter {
    static let dryRun = QueryParameter(
        "dryRun", .choice("All: judge the request and answer it as if it were carried out, but store nothing.", ["All"]))
    static let fieldValidation = QueryParameter(
        "fieldValidation",
        .choice(
            """
            What becomes of fields that the kind does not have, and of those that stand twice: Strict refuses the request with 400, Warn drops them and says so in \
            `Warning` header fields, Ignore drops them. Warn where absent.
            """, ["Ignore", "Warn", "Strict"], defaultValue: "Warn"))
    static let fieldManager = QueryParameter(
        "fieldManager",
        .string(
            """
            Who writes, as metadata.managedFields names it, such as kubectl-create. Needed for an apply; otherwise the User-Agent up to its \
            first slash where absent.
            """, max: 128))
    static let force = QueryParameter(
        "force", .boolean("For an apply alone: takes over the fields that other managers own and the body has otherwise, instead of 409."))
    static let writing = [dryRun, fieldValidation, fieldManager]

    static let gracePeriodSeconds = QueryParameter(
        "gracePeriodSeconds", .integer("Accepted and without effect: deletions have no grace period.", Int64.min...Int64.max))
    static let propagationPolicy = QueryParameter(
        "propagationPolicy",
        .choice(
            """
            What becomes of the objects that name this one as their owner. Background: they go soon after it. Foreground: it stays, with \
            deletionTimestamp, until those with blockOwnerDeletion are gone. Orphan: they stay, and no longer name it. Background where \
            nothing is said and the object has neither of the finalizers orphan and foregroundDeletion.
            """, ["Background", "Foreground", "Orphan"]))
    static let orphanDependents = QueryParameter(
        "orphanDependents",
        .boolean("What clients said before propagationPolicy: true is Orphan, false Background. Not together with propagationPolicy."))
    static let deleting = [dryRun, gracePeriodSeconds, propagationPolicy, orphanDependents]
}
