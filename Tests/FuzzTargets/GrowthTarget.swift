extension FuzzTarget {
    /// A beginning, a piece and an end, as parts: the piece is repeated until the whole is long, its `#` counting. Goes to every other target
    /// that takes documents, so that what takes more time than its length is worth shows.
    static let growth = FuzzTarget(
        "growth", bytesMax: 2048,
        words: [
            Sections.separator, "#", "\"#\":", ",{\"id\":#}", "labels", "\"alerts\":[", "items", "\"op\":\"add\"", "metadata",
            "managedFields",
        ]
    ) { input in
        let parts = Sections(input)
        guard parts.count >= 2, !parts[1].isEmpty else { return }
        let grown = grow(parts[0], parts[1], parts[2])
        let separator = Array(Sections.separator.utf8)
        for target in [json, body, alerts, events, manifest] { try await target.check(grown) }
        try await message.check(separator + grown)
        try await patch.check(grownObject + separator + grown)
        try await apply.check(grownObject + separator + grown + separator + grown)
    }

    /// Bytes of a document that was grown.
    private static let grownBytes = 96 << 10

    private static func grow(_ beginning: [UInt8], _ piece: [UInt8], _ end: [UInt8]) -> [UInt8] {
        let count = max(2, (grownBytes - beginning.count - end.count) / (piece.count + 2))
        var document = beginning
        for index in 0..<count {
            for byte in piece {
                if byte == UInt8(ascii: "#") { document += String(index).utf8 } else { document.append(byte) }
            }
        }
        return document + end
    }

    private static let grownObject = Array(
        """
        {"apiVersion":"diagnosis.kubediag.org/v1","kind":"Operation","metadata":{"name":"df"},\
        "spec":{"processor":{"scriptRunner":{"script":"true"}}}}
        """.utf8)
}
