import JSONCoding
import Model
import TriggerRouterCore

extension FuzzTarget {
    /// A message of Kafka: lines `name: value` are its headers, a second part is its value. What is read of it can be handed over, and is
    /// read alike again.
    static let message = FuzzTarget(
        "message", bytesMax: 4096,
        words: [
            Sections.separator, "\"operationset\"", "\"node\"", "\"pod\"", "\"namespace\"", "\"specversion\":\"1.0\"", "\"data_base64\"",
            "\"data\"", "\"id\"", "\"source\"", "\"type\"", "ce_specversion: 1.0\n", "ce-id: ",
            "content-type: application/cloudevents+json",
        ]
    ) { input in
        let parts = Sections(input)
        let headers = parts[0].split(separator: UInt8(ascii: "\n")).prefix(64).map { line in
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            let value = line[colon...].dropFirst().drop { $0 == UInt8(ascii: " ") }
            return (name: String(decoding: line[..<colon], as: UTF8.self), value: colon == line.endIndex ? nil : Array(value))
        }
        let message = SourceMessage(
            topic: "t", partition: 1, offset: 2, timestampMillis: 3, headers: headers, value: parts.count > 1 ? parts[1] : nil)
        let reading = MessageReading(message)
        try expect((reading.request == nil) == (reading.fault != nil), "neither a request nor a fault, or both")
        guard let item = reading.request?.item else { return }
        let written = try JSON(encoding: item)
        let again: IntakeItem = try written.decode()
        try expect(again == item, "the hand-over is read back as another: \(written)")
        try expect(MessageReading(message).request?.item == item, "read again it asks for something else")
        guard let spec = item.requested?.spec else { return }
        var findings = SchemaFindings()
        _ = DiagnosisSpec.specSchema.check(try JSON(encoding: spec), at: "spec", into: &findings)
        try expect(findings.faults.isEmpty && findings.unknownFields.isEmpty, "taken, but not to be stored: \(findings)")
    }
}
