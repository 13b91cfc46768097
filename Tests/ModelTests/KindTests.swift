import JSONCoding
import Model
import Testing

/// What a kind's schema and rules say of a document, as admission asks them.
private func judge(_ definition: ResourceDefinition, _ text: String, old: String? = nil) throws -> (faults: [FieldFault], unknown: [String])
{
    var findings = SchemaFindings()
    let pruned = definition.schema.check(try JSON(parsing: Array(text.utf8)), at: "", into: &findings)
    guard findings.faults.isEmpty else { return (findings.faults, findings.unknownFields) }
    let former = try old.map { try JSON(parsing: Array($0.utf8)) }
    return (try definition.faults(pruned, former), findings.unknownFields)
}

private func object(_ kind: String, _ spec: String) -> String {
    #"{"apiVersion":"diagnosis.kubediag.org/v1","kind":"\#(kind)","metadata":{"name":"x"},"spec":\#(spec)}"#
}

@Suite struct KindTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var definition: ResourceDefinition
        var spec: String
        /// Path and reason of every fault, in order.
        var faults: [String]
        var testDescription: String { "\(definition.kind) \(spec.prefix(80))" }
    }

    static let cases: [Case] = [
        Case(definition: Operation.definition, spec: #"{"processor":{"httpServer":{}}}"#, faults: []),
        Case(
            definition: Operation.definition,
            spec: #"{"processor":{"externalIP":"10.0.0.1","externalPort":80,"path":"/p","scheme":"http"}}"#, faults: []),
        Case(definition: Operation.definition, spec: #"{"processor":{}}"#, faults: ["spec.processor FieldValueRequired"]),
        Case(
            definition: Operation.definition, spec: #"{"processor":{"httpServer":{},"scriptRunner":{"script":"x"}}}"#,
            faults: ["spec.processor FieldValueForbidden"]),
        Case(
            definition: Operation.definition,
            spec: #"{"processor":{"scriptRunner":{"script":7},"timeoutSeconds":0},"effect":"Explode","dependences":["../x"]}"#,
            faults: [
                "spec.processor.scriptRunner.script FieldValueTypeInvalid", "spec.processor.timeoutSeconds FieldValueInvalid",
                "spec.dependences[0] FieldValueInvalid", "spec.effect FieldValueNotSupported",
            ]),
        Case(
            definition: Operation.definition,
            spec: #"{"processor":{"httpServer":{"path":"no slash","address":"a b"}},"storage":{"hostPath":{"path":"/a/../b"}}}"#,
            faults: [
                "spec.storage.hostPath.path FieldValueInvalid", "spec.processor.httpServer.path FieldValueInvalid",
                "spec.processor.httpServer.address FieldValueInvalid",
            ]),
        // Paths and names are bytes: a combining mark behind a slash or a dot hides neither.
        Case(
            definition: Operation.definition,
            spec:
                #"{"processor":{"scriptRunner":{"script":"x"},"execution":{"workingDirectory":"/a/../\u0301x"}},"storage":{"hostPath":{"path":"/a/../\u0301x"}}}"#,
            faults: ["spec.storage.hostPath.path FieldValueInvalid", "spec.processor.execution.workingDirectory FieldValueInvalid"]),
        Case(
            definition: Operation.definition,
            spec: #"{"processor":{"function":{"runtime":"python3","codeSource":{"a/\u0301b":"","handler.py":"x"}}}}"#,
            faults: ["spec.processor.function.codeSource[a/\u{301}b] FieldValueInvalid"]),
        Case(
            definition: Operation.definition,
            spec: #"{"processor":{"scriptRunner":{"script":"x"}},"storage":{"hostPath":{"path":"/\u0301x"}}}"#, faults: []),
        Case(
            definition: Operation.definition,
            spec:
                #"{"processor":{"scriptRunner":{"script":"x"},"execution":{"environment":{"LEVEL":"3"},"workingDirectory":"/srv","runAsUser":"root","limits":{"cpuSeconds":60,"memoryBytes":1073741824}}}}"#,
            faults: []),
        Case(
            definition: Operation.definition,
            spec:
                #"{"processor":{"scriptRunner":{"script":"x"},"execution":{"environment":{"LD_PRELOAD":"x","KUBEDIAG_NODE":"x","PATH":"x","PYTHONPATH":"x","1A":"x","A B":"x"},"runAsUser":"-x","limits":{"cpuSeconds":0,"openFiles":1}}}}"#,
            faults: ["1A", "A B", "KUBEDIAG_NODE", "LD_PRELOAD", "PATH", "PYTHONPATH"].map {
                "spec.processor.execution.environment[\($0)] FieldValueInvalid"
            } + ["runAsUser", "limits.cpuSeconds", "limits.openFiles"].map { "spec.processor.execution.\($0) FieldValueInvalid" }),
        Case(
            definition: Operation.definition,
            spec: #"{"processor":{"httpServer":{},"execution":{"workingDirectory":"/a/../b","environment":{"A":"x\u0000"}}}}"#,
            faults: [
                "spec.processor.execution FieldValueForbidden", "spec.processor.execution.workingDirectory FieldValueInvalid",
                "spec.processor.execution.environment[A] FieldValueInvalid",
            ]),
        Case(
            definition: OperationSet.definition, spec: #"{"sequence":["a"],"adjacencyList":[]}"#,
            faults: ["spec.sequence FieldValueForbidden"]),
        Case(
            definition: Trigger.definition, spec: #"{"operationSet":"x","sourceTemplate":{}}"#,
            faults: ["spec.sourceTemplate FieldValueRequired"]),
        Case(
            definition: Trigger.definition, spec: "{}",
            faults: ["spec.operationSet FieldValueRequired", "spec.sourceTemplate FieldValueRequired"]),
        Case(definition: Diagnosis.definition, spec: #"{"operationSet":"x"}"#, faults: ["spec.nodeName FieldValueRequired"]),
        Case(definition: Diagnosis.definition, spec: #"{"operationSet":"x","podReference":{"namespace":"a","name":"b"}}"#, faults: []),
        Case(
            definition: Diagnosis.definition, spec: #"{"operationSet":"x","nodeName":"n","parameters":{"a b":"1","c":2}}"#,
            faults: ["spec.parameters[a b] FieldValueInvalid", "spec.parameters[c] FieldValueTypeInvalid"]),
    ]

    @Test(arguments: cases) func reportsEveryFaultAtOnce(_ example: Case) throws {
        let found = try judge(example.definition, object(example.definition.kind, example.spec)).faults
        #expect(found.map { "\($0.path) \($0.reason.rawValue)" } == example.faults)
    }

    @Test func namesUnknownFieldsAndPrunesThem() throws {
        let text = object("Operation", #"{"processor":{"httpServer":{},"extra":1},"more":{"deep":true}}"#)
        #expect(try judge(Operation.definition, text).unknown == ["spec.processor.extra", "spec.more"])
    }

    @Test func diagnosisIsImmutableButForCancel() throws {
        let old = object("Diagnosis", #"{"operationSet":"x","nodeName":"n"}"#)
        let cancelled = object("Diagnosis", #"{"operationSet":"x","nodeName":"n","cancel":true,"ttlSecondsAfterFinished":5}"#)
        #expect(try judge(Diagnosis.definition, cancelled, old: old).faults.isEmpty)
        #expect(
            try judge(Diagnosis.definition, object("Diagnosis", #"{"operationSet":"y","nodeName":"n"}"#), old: old).faults.map(\.path) == [
                "spec"
            ])
        #expect(try judge(Diagnosis.definition, old, old: cancelled).faults.map(\.path) == ["spec.cancel"])
    }

    @Test func targetsByPrecedence() {
        var spec = DiagnosisSpec(operationSet: "x")
        #expect(spec.target == nil)
        spec.podReference = PodReference(namespace: "a", name: "b")
        #expect(spec.target == .pods([PodReference(namespace: "a", name: "b")]))
        spec.targetSelector = TargetSelector(nodeNames: ["n1", "n2"])
        #expect(spec.target == .nodes(["n1", "n2"]))
        spec.nodeName = "n0"
        #expect(spec.target == .node("n0"))
    }

    @Test func idsOfVerticesAreTheirIndices() throws {
        var set = OperationSet(
            metadata: ObjectMeta(name: "s"), spec: OperationSetSpec(adjacencyList: [Vertex(id: 0, to: [1]), Vertex(id: 7, operation: "a")]))
        #expect(OperationSetSpec.warnings(about: set).count == 1)
        OperationSetSpec.complete(&set)
        #expect(set.spec.adjacencyList?.map(\.id) == [0, 1])
    }

    @Test func resultsAreTextOrAReference() throws {
        let reference = ResultReference(preview: "a", size: 10, sha256: "00", evidenceRef: "1/stdout")
        for value in [ResultValue.text("x"), .reference(reference)] {
            #expect(try JSON(encoding: value).decode(ResultValue.self) == value)
        }
    }

    @Test(arguments: API.definitions.map(\.plural)) func everySchemaIsSpelledInOpenAPI(_ plural: String) throws {
        let definition = try #require(API.definitions.first { $0.plural == plural })
        var components = SchemaComponents()
        components.add(definition)
        #expect(components.names.first == definition.kind)
        let spec = try #require(components.schemas[definition.hasSpec ? "\(definition.kind)Spec" : definition.kind])
        #expect(spec["type"] == "object")
        #expect(spec["properties"]?.objectValue?.isEmpty == false)
        #expect(!definition.names.columns.isEmpty)
    }

    @Test func errorsComeBackFromTheirStatus() throws {
        let error = APIError.invalid(kind: "triggers", name: "t", [FieldFault("spec.x", .invalid, "is wrong")])
        let read = try #require(APIError(status: error.status))
        #expect(read.code == 422)
        #expect(read.causes == error.causes)
        #expect(read.name == "t")
        #expect(APIError(status: .object(["kind": .string("Pod")])) == nil)
    }

    @Test func conditionsKeepTheTimeOfTheirLastChange() {
        var conditions: [Condition] = []
        conditions.set(Condition(type: "Ready", status: .true, reason: "A"), at: Timestamp(seconds: 1))
        conditions.set(Condition(type: "Ready", status: .true, reason: "B"), at: Timestamp(seconds: 2))
        #expect(conditions["Ready"]?.lastTransitionTime == Timestamp(seconds: 1))
        #expect(conditions["Ready"]?.reason == "B")
        conditions.set(Condition(type: "Ready", status: .false), at: Timestamp(seconds: 3))
        #expect(conditions["Ready"]?.lastTransitionTime == Timestamp(seconds: 3))
        #expect(conditions.count == 1)
    }
}
