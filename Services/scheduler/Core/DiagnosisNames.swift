import Digests
import Model

/// The names of the diagnoses that the scheduler creates; all are DNS-1123 subdomains, those of triggers fit a label value too.
package enum DiagnosisNames {
    private static let hashCharacters = 26

    /// `{trigger}-{26 base32 characters}`: at most 63 bytes, so that the name is a label value.
    package static func triggered(trigger: String, triggerUID: UID, fingerprint: String, startsAt: Timestamp?, createdAt: Timestamp)
        -> String
    {
        let tuple = [triggerUID.rawValue, fingerprint, startsAt?.description ?? "", String(createdAt.microseconds)]
        return join(trigger, bytesMax: Names.labelValueBytesMax - hashCharacters - 1, tuple)
    }

    /// The same for whom and what asks for it, whenever that is; otherwise as `triggered`.
    package static func requested(prefix: String, triggerUID: UID, fingerprint: String) -> String {
        join(prefix, bytesMax: Names.labelValueBytesMax - hashCharacters - 1, [triggerUID.rawValue, fingerprint])
    }

    /// `{parent[:180]}-{hash of node}`: the same for the same parent and node, which makes creating a child idempotent.
    package static func child(parent: String, parentUID: UID, node: String) -> String {
        join(parent, bytesMax: 180, [parentUID.rawValue, node])
    }

    /// A repeat of `name`: `seed` is random, or the caller's request id.
    package static func rerun(of name: String, seed: String) -> String {
        let hash = String(Digest.base32(LengthPrefixedHasher.digest([name, seed])).prefix(8))
        return cut(name, bytesMax: 180) + "-r-" + hash
    }

    private static func join(_ stem: String, bytesMax: Int, _ tuple: [String]) -> String {
        let stem = cut(stem, bytesMax: bytesMax)
        let hash = String(Digest.base32(LengthPrefixedHasher.digest(tuple)).prefix(hashCharacters))
        return stem.isEmpty ? hash : "\(stem)-\(hash)"
    }

    /// A prefix that may be followed by `-`: a DNS-1123 label ends with a letter or digit.
    private static func cut(_ name: String, bytesMax: Int) -> String {
        var prefix = name.prefix(bytesMax)  // names are ASCII: characters are bytes
        while let last = prefix.last, last == "-" || last == "." { prefix.removeLast() }
        return String(prefix)
    }
}
