import Digests
import Testing
import TriggerRouterCore

@Suite struct AlertIdentityTests {
    @Test func fingerprintIsOverLengthPrefixedSortedLabels() {
        let labels = LabelSet(["b": "2", "a": "1"])
        #expect(Fingerprint(labels).bytes == LengthPrefixedHasher.digest("a", "1", "b", "2"))
        #expect(Fingerprint(LabelSet()).description == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func partsDoNotRunTogether() {
        #expect(Fingerprint(LabelSet(["ab": "c"])) != Fingerprint(LabelSet(["a": "bc"])))
        #expect(Fingerprint(LabelSet(["a": "b", "c": ""])) != Fingerprint(LabelSet(["a": "b"])))
    }

    @Test func identityLabelsAlone() {
        let one = LabelSet(["alertname": "X", "instance": "a", "pod": "1"])
        let other = LabelSet(["alertname": "X", "instance": "a", "pod": "2"])
        #expect(Fingerprint(one) != Fingerprint(other))
        #expect(Fingerprint(one, identity: ["instance", "alertname"]) == Fingerprint(other, identity: ["alertname", "instance"]))
        #expect(Fingerprint(one, identity: ["instance", "absent"]) == Fingerprint(LabelSet(["instance": "a"])))
        #expect(Fingerprint(one, identity: []) == Fingerprint(other, identity: []))
    }

    @Test func labelsAreSortedByBytes() {
        let labels = LabelSet(["Z": "1", "a": "2", "é": "3", "aa": "4", "_": "5"])
        #expect(labels.sorted.map(\.name) == ["Z", "_", "a", "aa", "é"])
        #expect(labels["a"] == "2")
        #expect(labels["b"] == nil)
        #expect(labels.dictionary["é"] == "3")
    }
}
