/// Questions and answers of the domain name system (RFC 1035), as far as a check needs them.
enum DNSMessage {
    enum RecordType: UInt16 {
        case a = 1
        case ns = 2
        case aaaa = 28
    }

    struct Answer: Equatable {
        /// RCODE: 0 no error, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
        var code: UInt8
        var isCut: Bool
        var answers: UInt16
    }

    static let bytesMax = 65_535
    private static let headerBytes = 12

    /// A question with recursion desired; nil where the name is none: labels of 1 to 63 bytes, 253 bytes in all, or `.` for the root.
    static func question(_ name: String, _ type: RecordType, id: UInt16) -> [UInt8]? {
        var bytes = big(id) + [0x01, 0x00] + big(1) + big(0) + big(0) + big(0)
        let labels =
            name == "."
            ? []
            : name.hasSuffix(".")
                ? name.dropLast().split(separator: ".", omittingEmptySubsequences: false)
                : name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 254, !name.isEmpty else { return nil }
        for label in labels {
            guard (1...63).contains(label.utf8.count) else { return nil }
            bytes += [UInt8(label.utf8.count)] + label.utf8
        }
        return bytes + [0] + big(type.rawValue) + big(1)
    }

    /// Nil for what is no answer to that question.
    static func answer(_ bytes: [UInt8], to question: [UInt8]) -> Answer? {
        guard bytes.count >= headerBytes, question.count >= headerBytes, bytes[0] == question[0], bytes[1] == question[1],
            bytes[2] & 0x80 != 0
        else { return nil }
        // The question comes back with the answer; servers that can't parse it leave it out.
        let count = UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        let asked = question[headerBytes...]
        if count == 1 {
            guard bytes.count >= question.count, sameName(bytes[headerBytes..<question.count], asked) else { return nil }
        }
        return Answer(code: bytes[3] & 0x0F, isCut: bytes[2] & 0x02 != 0, answers: UInt16(bytes[6]) << 8 | UInt16(bytes[7]))
    }

    /// How a code is called.
    static func name(ofCode code: UInt8) -> String {
        switch code {
        case 0: "NOERROR"
        case 1: "FORMERR"
        case 2: "SERVFAIL"
        case 3: "NXDOMAIN"
        case 4: "NOTIMP"
        case 5: "REFUSED"
        default: "code \(code)"
        }
    }

    /// Letters may come back in another case.
    private static func sameName(_ first: ArraySlice<UInt8>, _ second: ArraySlice<UInt8>) -> Bool {
        first.elementsEqual(second) { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte + 0x20 : byte }
    private static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
}
