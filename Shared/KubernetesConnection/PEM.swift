import ServiceKit

/// What a file or a field in PEM (RFC 7468) has to hold.
enum PEM {
    case certificates
    case privateKey

    static let bytesMax = 1 << 20

    /// What is wrong with `bytes`, as a sentence behind their name; nil where they may do. The TLS library has the last word.
    func fault(of bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        switch self {
        case .certificates: return text.contains("-----BEGIN CERTIFICATE-----") ? nil : "has no certificate in PEM"
        case .privateKey: return text.contains("PRIVATE KEY-----") ? nil : "has no private key in PEM"
        }
    }

    func fault(ofFile path: String) -> String? {
        do throws(FileReadFault) {
            return fault(of: try FileReader.read(path, bytesMax: Self.bytesMax))
        } catch {
            return error.message
        }
    }
}
