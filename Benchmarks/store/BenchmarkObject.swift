import Model
import ResourceStore

/// The objects that both sides write: 1 KiB of JSON with two labels and three selectable fields.
enum BenchmarkObject {
    static func name(_ index: Int) -> String { "high-disk-usage-\(index)-k3v5q2w7" }

    static func encoded(_ index: Int) -> EncodedObject { encoded(name(index)) }

    static func encoded(_ name: String) -> EncodedObject {
        let (bytes, offset) = document(name)
        return EncodedObject(
            key: ObjectKey(plural: "diagnoses", namespace: "kubediag", name: name), uid: UID("8c1f4a52-\(name)"), labels: labels,
            fields: fields, bytes: bytes, resourceVersionOffset: offset)
    }

    static let labels = ["trigger": "high-disk-usage", "alert": "NodeFilesystemAlmostOutOfSpace"]
    static let fields = ["status.phase": "Pending", "spec.nodeName": "web-07", "spec.operationSet": "disk-usage"]

    private static func document(_ name: String) -> (bytes: [UInt8], offset: Int) {
        let start = "{\"apiVersion\":\"diagnosis.kubediag.org/v1\",\"kind\":\"Diagnosis\",\"metadata\":{"
        let rest =
            "\"labels\":{\"alert\":\"NodeFilesystemAlmostOutOfSpace\",\"trigger\":\"high-disk-usage\"},\"name\":\"\(name)\","
            + "\"namespace\":\"kubediag\",\"uid\":\"8c1f4a52-\(name)\"},\"spec\":{\"nodeName\":\"web-07\",\"operationSet\":\"disk-usage\","
            + "\"parameters\":{\"padding\":\""
        let end = "\"}},\"status\":{\"phase\":\"Pending\"}}"
        let padding = StoreBenchmark.objectBytes - start.utf8.count - rest.utf8.count - end.utf8.count
        return (Array((start + rest + String(repeating: "x", count: max(0, padding)) + end).utf8), start.utf8.count)
    }
}
