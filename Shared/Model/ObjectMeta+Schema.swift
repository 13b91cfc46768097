import JSONCoding

extension ObjectMeta {
    /// Bytes of one label value, of one annotation, and entries of either at most.
    private static let annotationBytesMax = 262_144
    private static let (labelsMax, annotationsMax) = (128, 256)

    static let schema = Schema.object(
        "What every object has beside its spec: its name, what it is selected by, and what the server keeps about it.",
        naming
            + serverOwned + [
                .optional("labels", labels),
                .optional(
                    "annotations",
                    .textMap(
                        """
                        Text beside the object that nothing selects by: at most 256 annotations of 262,144 bytes each. Keys are as of \
                        labels.
                        """,
                        entriesMax: annotationsMax, valueBytesMax: annotationBytesMax, keyFault: { Names.labelKeyFault($0) })),
                .optional(
                    "ownerReferences",
                    .array(
                        """
                        The objects that this one belongs to: it goes when the last of them has gone. The children of a diagnosis of \
                        several nodes name it here.
                        """,
                        of: OwnerReference.schema, max: 16, listType: .map(keys: ["uid"]))),
                .optional(
                    "finalizers",
                    .array(
                        """
                        Names of those who have to let go before the object is removed. While one stands here a deletion only sets \
                        deletionTimestamp; whoever put a name here takes it out when it is done.
                        """,
                        of: Schema(.string(finalizerRules), "The name of a finalizer, such as example.org/backup."), max: 16,
                        listType: .set)),
                .optional(
                    "managedFields",
                    .array(
                        "Which client last set which field, kept by the server for server-side apply. Not meant to be read by people.",
                        of: managedFieldsEntry, max: 256)),
            ]
    ).named("ObjectMeta")

    private static let finalizerRules = StringRules(
        bytesMin: 1, bytesMax: 253, pattern: Names.labelKeyPattern, fault: { Names.labelKeyFault($0) })

    private static let naming: [SchemaProperty] = [
        .optional(
            "name",
            Schema(
                .string(StringRules(bytesMax: 253, pattern: Names.subdomainPattern, fault: { Names.subdomainFault($0) })),
                """
                The object's name, unique among those of its kind (in its namespace) and fixed once it exists: lower-case letters, \
                digits, '-' and '.', at most 253 bytes. Needed unless generateName stands for it.
                """)),
        .optional(
            "generateName",
            .string(
                "A prefix, such as disk-full-, to which the server adds five characters where name is absent. At most 248 bytes.", max: 248)
        ),
        .optional(
            "namespace",
            Schema(
                .string(StringRules(bytesMax: 63, fault: { $0.isEmpty ? nil : Names.labelFault($0) })),
                "The namespace that the object lives in; absent for kinds that have none. It is that of the URL.")),
    ]

    private static let serverOwned: [SchemaProperty] = [
        .optional(
            "uid",
            .string(
                "Set by the server: tells this object from any other, also from one of the same name before it.", max: 128)),
        .optional(
            "resourceVersion",
            .string(
                """
                Set by the server: the version of the object, to be compared for equality alone. Sent back with a change it is a \
                precondition: 409 Conflict where the object has changed since.
                """, max: 64)),
        .optional(
            "generation", .integer("Set by the server: 1 for a new object, one more with every change of spec.", 0...Int64.max)),
        .optional("creationTimestamp", .time("Set by the server: when the object was created, as in RFC 3339.")),
        .optional(
            "deletionTimestamp",
            .time("Set by the server: when deletion was asked for, where finalizers hold the object back. It cannot be taken back.")),
        .optional(
            "deletionGracePeriodSeconds",
            .integer(
                "Kept for Kubernetes' clients and without effect: deletions have no grace period.")),
        .optional("selfLink", .string("Kept for old clients of Kubernetes and without effect.")),
        .optional("clusterName", .string("Kept for old clients of Kubernetes and without effect.")),
    ]

    private static let labels = Schema(
        .map(
            values: Schema(
                .string(StringRules(bytesMax: 63, pattern: Names.labelValuePattern, fault: { Names.labelValueFault($0) })),
                "A label's value: letters, digits, '-', '_' and '.', at most 63 bytes; it may be empty."),
            entriesMax: labelsMax, keyFault: { Names.labelKeyFault($0) }),
        """
        What the object is selected by (labelSelector, kubectl -l): at most 128 labels. A key is a name of at most 63 bytes, with a \
        prefix such as example.org/ where it is not the user's own.
        """)

    private static let managedFieldsEntry = Schema.object(
        "The fields that one client manages.",
        [
            .optional("manager", .string("The client, as it named itself in fieldManager.", max: 128)),
            .optional("operation", .choice("How it came to manage them.", ["Apply", "Update"])),
            .optional("apiVersion", .string("The version that the fields are of.", max: 253)),
            .optional("time", .time("When the entry last changed.")),
            .optional("fieldsType", .choice("The format of the fields.", ["FieldsV1"])),
            .optional("fieldsV1", .anything("The fields as a tree of their paths.")),
            .optional("subresource", .string("The subresource that was written, such as status; empty for the object itself.", max: 63)),
        ]
    ).named("ManagedFieldsEntry")
}

extension OwnerReference {
    static let schema = Schema.object(
        "An object that this one belongs to. Owners have to exist in the namespace of the object, or be of a kind that has none.",
        [
            .required("apiVersion", .string("API version of the owner, such as diagnosis.kubediag.org/v1.", max: 253)),
            .required("kind", .string("Kind of the owner, such as Diagnosis.", max: 63)),
            .required("name", .string("Name of the owner.", max: 253)),
            .required("uid", .string("Uid of the owner, so that a later object of its name is not taken for it.", max: 128)),
            .optional("controller", .boolean("Whether the owner manages this object. At most one owner may.")),
            .optional(
                "blockOwnerDeletion", .boolean("Whether a foreground deletion of the owner waits until this object has gone.")),
        ]
    ).named("OwnerReference")
}

extension Condition {
    static let schema = Schema.object(
        "One aspect of an object's state, for people, for kubectl wait and for programs.",
        [
            .required("type", .string("What the condition is about, such as Ready or Complete.", max: 316)),
            .required(
                "status",
                .choice("Whether it holds. Unknown: nobody could find out.", ["True", "False", "Unknown"]).named("ConditionStatus")),
            .optional("reason", .string("Why, in one CamelCase word that programs may rely on.", max: 1024)),
            .optional("message", .string("Why, in a sentence for a person.", max: 32_768)),
            .optional("lastTransitionTime", .time("When status last changed from one value to another.")),
            .optional("observedGeneration", .integer("The metadata.generation that it was judged at.", 0...Int64.max)),
        ]
    ).named("Condition")

    static func list(_ description: String) -> Schema { .array(description, of: schema, max: 32, listType: .map(keys: ["type"])) }
}

/// The metadata of a list, Kubernetes' `ListMeta`.
enum ListMeta {
    static let schema = Schema.object(
        "Where a list stands.",
        [
            .required("resourceVersion", .string("The revision that the list is of; a watch may begin behind it.", max: 64)),
            .optional("continue", .string("The token for the next page; absent at the end.", max: 8192)),
            .optional("remainingItemCount", .integer("Objects behind this page, where that is known.", 0...Int64.max)),
        ]
    ).named("ListMeta")
}
