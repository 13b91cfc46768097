import JSONCoding
import Model
import Testing

/// The messages that the model defines are documented member by member: a full value has every member of its schema, a small one has the
/// required ones alone.
@Suite struct MessageTests {
    struct Message: Sendable, CustomTestStringConvertible {
        let schema: String
        let full: @Sendable () throws -> JSON
        let least: @Sendable () throws -> JSON

        init<T: Encodable & Sendable>(_ schema: String, _ full: T, least: T) {
            self.schema = schema
            self.full = { try JSON(encoding: full) }
            self.least = { try JSON(encoding: least) }
        }

        var testDescription: String { schema }
    }

    @Test(arguments: MessageSamples.all)
    func schemasHaveTheMembersOfTheTypes(message: Message) throws {
        let folder = try DocumentFolder.load()
        let schema = try folder.follow("#/components/schemas/\(message.schema)", from: "common.yaml")
        let check = SchemaCheck(folder: folder)
        let (full, least) = (try message.full(), try message.least())
        #expect(try check.faults(full, schema) == [])
        #expect(try check.faults(least, schema) == [])
        #expect(full.objectValue?.keys.sorted() == schema.value["properties"]?.objectValue?.keys.sorted())
        let required = (schema.value["required"]?.arrayValue ?? []).compactMap(\.stringValue)
        #expect(least.objectValue?.keys.sorted() == required.sorted())
    }

    @Test func enumerationsHaveTheCasesOfTheTypes() throws {
        let folder = try DocumentFolder.load()
        func values(_ pointer: String) throws -> [String]? {
            try folder.follow("#/components/schemas/\(pointer)/enum", from: "common.yaml").value.arrayValue?.compactMap(\.stringValue)
                .sorted()
        }
        #expect(try values("AlertOutcome") == AlertOutcome.allCases.map(\.rawValue).sorted())
        #expect(try values("IntakeResult/properties/outcome") == IntakeResult.Outcome.allCases.map(\.rawValue).sorted())
        #expect(try values("OnResolved") == OnResolved.allCases.map(\.rawValue).sorted())
        #expect(try values("DiagnosisPhase") == DiagnosisPhase.allCases.map(\.rawValue).sorted())
        #expect(try values("StepPhase") == StepPhase.allCases.map(\.rawValue).sorted())
        #expect(try values("StepOutcome") == StepOutcome.allCases.map(\.rawValue).sorted())
        #expect(try values("Effect") == Effect.allCases.map(\.rawValue).sorted())
        for reason in try values("CauseReason") ?? [] { #expect(FieldFault.Reason(rawValue: reason) != nil) }
        for phase in try values("JobReport/properties/phase") ?? [] { #expect(JobReport.Phase(rawValue: phase) != nil) }
        for state in try values("JobReceipt/properties/state") ?? [] { #expect(JobReceipt.State(rawValue: state) != nil) }
    }

    @Test func anErrorIsAStatus() throws {
        let folder = try DocumentFolder.load()
        let schema = try folder.follow("#/components/schemas/Status", from: "common.yaml")
        var error = APIError.invalid(
            kind: "Operation", name: "df", [FieldFault("spec.processor", .required, "is required"), FieldFault("a", .tooMany, "b")])
        error.uid = "u"
        error.retryAfterSeconds = 1
        #expect(try SchemaCheck(folder: folder).faults(error.status, schema) == [])
        #expect(
            try SchemaCheck(folder: folder).faults(["kind": "Status", "surprise": 1], schema).contains(".surprise: is not documented"))
    }
}
