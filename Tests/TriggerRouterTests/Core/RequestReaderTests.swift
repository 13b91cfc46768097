import JSONCoding
import Model
import Testing
import TriggerRouterCore

/// What values of messages become.
@Suite struct RequestReaderTests {
    private static func message(
        _ value: String?, headers: [(String, String)] = [], topic: String = "requests", partition: Int32 = 2, offset: Int64 = 41,
        time: Int64? = 1_764_000_000_000
    ) -> SourceMessage {
        SourceMessage(
            topic: topic, partition: partition, offset: offset, timestampMillis: time,
            headers: headers.map { (name: $0.0, value: Array($0.1.utf8)) }, value: value.map { Array($0.utf8) })
    }

    private static func read(_ value: String?, headers: [(String, String)] = []) throws -> MessageRequest {
        try RequestReader.read(message(value, headers: headers))
    }

    private static func fault(_ value: String?, headers: [(String, String)] = []) -> String {
        do {
            _ = try read(value, headers: headers)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Flat objects

    @Test func aFlatObjectNamesOperationSetAndTargetAndTheRestAreParameters() throws {
        let request = try Self.read(
            """
            {"operationset":"core-dump","node":"web-01","namespace":"shop","pod":"cart-0","container":"cart","pid":4711,"ratio":1.5,
             "force":true,"note":"a \\"b\\"","gone":null,"empty":""}
            """)
        let requested = try #require(request.item.requested)
        #expect(requested.spec.operationSet == "core-dump")
        #expect(requested.spec.nodeName == "web-01")
        #expect(requested.spec.podReference == PodReference(namespace: "shop", name: "cart-0", container: "cart"))
        #expect(requested.spec.parameters == ["pid": "4711", "ratio": "1.5", "force": "true", "note": "a \"b\"", "empty": ""])
        #expect(request.item.namespace == "kubediag")
        #expect(request.item.operationSet == "core-dump")
        #expect(request.item.sourceName == "requests/2/41")
        #expect(request.alert.labels.dictionary["offset"] == "41")
    }

    @Test func whatMakesNoPodIsAParameterBesideANode() throws {
        let requested = try #require(try Self.read(#"{"operationset":"s","node":"w","pod":"p","container":"c"}"#).item.requested)
        #expect(requested.spec.podReference == nil)
        #expect(requested.spec.parameters == ["pod": "p", "container": "c"])
        let alone = try #require(try Self.read(#"{"operationset":"s","pod":"p","namespace":"n"}"#).item.requested)
        #expect(alone.spec.podReference == PodReference(namespace: "n", name: "p"))
        #expect(alone.spec.nodeName == nil && alone.spec.parameters == nil)
    }

    @Test func theMessageIsToldInAnnotationsAsTheOriginalDid() throws {
        var message = Self.message(#"{"metadata":{"annotations":{"why":"b"}},"spec":{"operationSet":"s","nodeName":"w"}}"#)
        message.key = Array("k-1".utf8)
        #expect(
            try RequestReader.read(message).item.requested?.annotations == [
                "why": "b", "diagnosis.kubediag.org/kafka-message-topic": "requests", "diagnosis.kubediag.org/kafka-message-partition": "2",
                "diagnosis.kubediag.org/kafka-message-offset": "41", "diagnosis.kubediag.org/kafka-message-key": "k-1",
                "diagnosis.kubediag.org/kafka-message-time": "2025-11-24T16:00:00Z",
            ])
    }

    @Test func numbersAndBooleansMayStandForTexts() throws {
        let spec = try #require(try Self.read(#"{"operationset":7,"node":12}"#).item.requested).spec
        #expect(spec.operationSet == "7")
        #expect(spec.nodeName == "12")
        #expect(spec.parameters == nil)
    }

    @Test(arguments: [
        ("{}", "operationset: is required"),
        (#"{"operationset":""}"#, "operationset: is required"),
        (#"{"operationset":"a"}"#, "node: is required, or namespace and pod"),
        (#"{"operationset":"a","pod":"p"}"#, "node: is required, or namespace and pod"),
        (#"{"operationset":"a","namespace":"n","container":"c"}"#, "node: is required, or namespace and pod"),
        (#"{"operationset":"a","node":["w"]}"#, "node: expected text, a number or a boolean, found an array"),
        (#"{"operationset":"a","node":"w","n":{"m":1}}"#, "n: expected text, a number or a boolean, found an object"),
        (#"{"operationset":"a","node":"w","id":12345678901234567890}"#, "id: is a number that is not kept exactly; send it as text"),
        (#"{"operationSet":"a","node":"w"}"#, "operationset: is required"),
        ("[1]", "expected an object, found an array"),
        (#""text""#, "expected an object, found a string"),
        ("null", "expected an object, found null"),
    ]) func aFlatObjectThatLacksSomethingIsToldSo(value: String, fault: String) {
        #expect(Self.fault(value) == fault)
    }

    @Test func namesAreHeldAgainstTheSchemaUnderTheirOwnNames() {
        #expect(Self.fault(#"{"operationset":"A b","node":"w"}"#).hasPrefix("operationset: "))
        #expect(Self.fault(#"{"operationset":"a","node":"w","bad key\u0000":"1"}"#).hasPrefix("spec.parameters"))
    }

    // MARK: Whole objects

    @Test func aDiagnosisIsTakenWithItsSpecLabelsAndNamespace() throws {
        let request = try Self.read(
            """
            {"apiVersion":"diagnosis.kubediag.org/v1","kind":"Diagnosis",
             "metadata":{"name":"my-run","namespace":"team","labels":{"team":"a"},"annotations":{"why":"b"},"uid":"1","finalizers":["x/y"]},
             "spec":{"operationSet":"s","targetSelector":{"nodeNames":["a","b"]},"activeDeadlineSeconds":60,"dryRun":true},
             "status":{"phase":"Succeeded"}}
            """)
        let requested = try #require(request.item.requested)
        #expect(request.item.namespace == "team")
        #expect(requested.namePrefix == "my-run")
        #expect(requested.labels == ["team": "a"])
        #expect(requested.annotations?["why"] == "b")
        #expect(requested.spec.targetSelector?.nodeNames == ["a", "b"])
        #expect(requested.spec.activeDeadlineSeconds == 60)
        #expect(requested.spec.dryRun == true)
    }

    @Test func generateNameGivesThePrefixToo() throws {
        let value = #"{"metadata":{"generateName":"run-"},"spec":{"operationSet":"s","nodeName":"w"}}"#
        #expect(try Self.read(value).item.requested?.namePrefix == "run")
    }

    @Test(arguments: [
        (#"{"kind":"Trigger","apiVersion":"diagnosis.kubediag.org/v1","spec":{"operationSet":"s"}}"#, "kind: must be Diagnosis"),
        (#"{"kind":"Diagnosis","apiVersion":"v1","spec":{"operationSet":"s"}}"#, "apiVersion: must be diagnosis.kubediag.org/v1"),
        (#"{"kind":"Diagnosis","apiVersion":"diagnosis.kubediag.org/v1"}"#, "spec: is required"),
        (#"{"spec":{"nodeName":"w"}}"#, "spec.operationSet: is required"),
        (#"{"metadata":[],"spec":{"operationSet":"s","nodeName":"w"}}"#, "metadata: expected an object, found an array"),
    ]) func aDiagnosisThatIsNoneIsToldSo(value: String, fault: String) {
        #expect(Self.fault(value) == fault)
    }

    @Test(arguments: [
        (#"{"spec":{"operationSet":"s"}}"#, "spec.nodeName: a target is required"),
        (#"{"metadata":{"name":"A_b"},"spec":{"operationSet":"s","nodeName":"w"}}"#, "metadata.name: "),
        (#"{"metadata":{"namespace":"A_b"},"spec":{"operationSet":"s","nodeName":"w"}}"#, "metadata.namespace: "),
        (#"{"spec":{"operationSet":"s","nodeName":"w","activeDeadlineSeconds":"soon"}}"#, "spec.activeDeadlineSeconds: "),
    ]) func theSchemaAndTheRulesOfADiagnosisHold(value: String, prefix: String) {
        #expect(Self.fault(value).hasPrefix(prefix), "\(Self.fault(value))")
    }

    // MARK: CloudEvents

    private static let binding = [("ce_specversion", "1.0"), ("ce_id", "e-1"), ("ce_source", "/monitor"), ("ce_type", "t")]

    @Test(arguments: ["ce_", "ce-", "CE_"]) func aBinaryEventHasItsAttributesInHeaders(prefix: String) throws {
        let headers = Self.binding.map { (prefix + $0.0.dropFirst(3), $0.1) } + [("content-type", "application/json; charset=utf-8")]
        let request = try Self.read(#"{"operationset":"s","node":"w"}"#, headers: headers)
        #expect(request.item.requested?.spec.nodeName == "w")
        #expect(request.alert.labels.dictionary["ce_id"] == "e-1")
    }

    @Test func aStructuredEventHasItsDataWithin() throws {
        let whole = #"{"specversion":"1.0","id":"e-1","source":"/monitor","type":"t","data":{"operationset":"s","node":"w"}}"#
        let base64 = "eyJvcGVyYXRpb25zZXQiOiJzIiwibm9kZSI6IncifQ=="
        let coded = #"{"specversion":"1.0","id":"e-1","source":"/monitor","type":"t","data_base64":""# + base64 + #""}"#
        let first = try Self.read(whole, headers: [("content-type", "application/cloudevents+json; charset=UTF-8")])
        #expect(first.item.requested?.spec.nodeName == "w")
        #expect(try Self.read(whole).item == first.item)
        #expect(try Self.read(coded).item == first.item)
        let binary = try Self.read(#"{"operationset":"s","node":"w"}"#, headers: Self.binding)
        #expect(binary.item.fingerprint == first.item.fingerprint)
    }

    @Test(arguments: [
        (#"{"specversion":"0.3","id":"e","source":"s","type":"t"}"#, "specversion: must be 1.0, not \"0.3\""),
        (#"{"specversion":"1.0","source":"s","type":"t"}"#, "id: is required"),
        (#"{"specversion":"1.0","id":"e","source":"s","type":"t"}"#, "data: is required"),
        (#"{"specversion":"1.0","id":"e","source":"s","type":"t","data_base64":"*"}"#, "data_base64: is no base64"),
        (
            #"{"specversion":"1.0","id":"e","source":"s","type":"t","datacontenttype":"text/xml","data":"<a/>"}"#,
            "datacontenttype: must be JSON, not \"text/xml\""
        ),
        (#"{"specversion":"1.0","id":"e","source":"s","type":"t","data":"x"}"#, "expected an object, found a string"),
    ]) func anEventThatIsNoneIsToldSo(value: String, fault: String) {
        #expect(Self.fault(value) == fault)
    }

    @Test func aBatchIsNotForKafka() {
        let headers = [("content-type", "application/cloudevents-batch+json")]
        #expect(Self.fault("[]", headers: headers) == "batches of CloudEvents are not for Kafka")
    }

    // MARK: Identity

    @Test func theSamePlaceIsTheSameRequestAndAnyOtherIsAnother() throws {
        let value = #"{"operationset":"s","node":"w"}"#
        func fingerprint(_ message: SourceMessage) throws -> String { try RequestReader.read(message).item.fingerprint }
        let first = try fingerprint(Self.message(value))
        #expect(try fingerprint(Self.message(value)) == first)
        let others = [
            Self.message(value, topic: "others"), Self.message(value, partition: 3), Self.message(value, offset: 42),
            Self.message(value, time: 1_764_000_000_001), Self.message(value, topic: "requests2", partition: 2),
        ]
        var seen: Set<String> = [first]
        for other in others { #expect(seen.insert(try fingerprint(other)).inserted) }
    }

    @Test func anEventIsTheSameWhereverItLies() throws {
        let value = #"{"operationset":"s","node":"w"}"#
        let here = try RequestReader.read(Self.message(value, headers: Self.binding))
        let there = try RequestReader.read(Self.message(value, headers: Self.binding, topic: "others", partition: 0, offset: 9))
        #expect(here.item.fingerprint == there.item.fingerprint)
    }

    // MARK: Garbage

    @Test func whateverAValueIsItIsReadOrRefused() {
        var random = Seeded(seed: UInt64.random(in: 0...UInt64.max))
        let seeds = [
            #"{"operationset":"s","node":"w","a":1}"#, #"{"metadata":{"name":"n"},"spec":{"operationSet":"s","nodeName":"w"}}"#,
            #"{"specversion":"1.0","id":"e","source":"s","type":"t","data":{"operationset":"s","node":"w"}}"#, "",
        ].map { Array($0.utf8) }
        for round in 0..<5_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                case 1 where place < bytes.count: bytes.remove(at: place)
                default: if place < bytes.count { bytes[place] = UInt8.random(in: 0...255, using: &random) }
                }
            }
            var message = Self.message("")
            message.value = bytes
            message.headers = round % 7 == 0 ? [(name: "ce_specversion", value: bytes)] : []
            do {
                let request = try RequestReader.read(message)
                #expect(request.item.requested?.spec.target != nil)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        #expect(Self.fault(nil) == "the message has no value")
        var large = Self.message("")
        large.value = [UInt8](repeating: 0x20, count: SourceMessage.valueBytesMax + 1)
        #expect(throws: EventFault.self) { try RequestReader.read(large) }
    }

    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }
}
