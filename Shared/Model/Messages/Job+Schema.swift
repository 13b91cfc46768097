import JSONCoding

extension Job {
    /// What of a job is of a kind's schema: each operation's spec and the pod. They were admitted where they were made; an agent holds them
    /// against it all the same, because it is to run them.
    public static func faults(in body: JSON) -> [FieldFault] {
        var findings = SchemaFindings()
        _ = shared.check(body, at: "", into: &findings)
        return findings.faults
    }

    private static let shared = Schema.object(
        "A job.",
        [
            .optional(
                "plan",
                .object(
                    "Its plan.",
                    [
                        .optional(
                            "operations",
                            Schema(
                                .map(values: OperationSpec.specSchema, entriesMax: 10_000, keyFault: { _ in nil }),
                                "Every operation that a vertex names."))
                    ])), .optional("pod", DiagnosisSpec.podReference),
        ])
}
