import JSONCoding
import Model

/// The files that one diagnosis has left on its node.
struct EvidenceList: Sendable {
    struct File: Sendable, Equatable {
        let ref: String
        let operation: String
        let bytes: Int64
        let contentType: String
        let sha256: String?
        /// Secrets that were replaced; nil where nobody looked.
        let redactions: Int?
    }

    let diagnosis: String
    let uid: UID
    let node: String
    let files: [File]

    init(_ json: JSON, diagnosis: String, uid: UID) {
        self.diagnosis = diagnosis
        self.uid = uid
        node = json["node"]?.stringValue ?? "?"
        files = (json["items"]?.arrayValue ?? []).compactMap { item in
            guard let ref = item["ref"]?.stringValue, let bytes = item["bytes"]?.integerValue, bytes >= 0 else { return nil }
            return File(
                ref: ref, operation: item["operation"]?.stringValue ?? "", bytes: bytes,
                contentType: item["contentType"]?.stringValue ?? "application/octet-stream", sha256: item["sha256"]?.stringValue,
                redactions: item["redactions"]?.integerValue.map { Int($0) })
        }
    }

    static func path(_ uid: UID, _ ref: String? = nil) -> String {
        let names = [uid.rawValue] + (ref?.split(separator: "/").map(String.init) ?? [])
        return "/api/v1/evidence/" + names.map(PathSegment.encode).joined(separator: "/")
    }
}

extension Connection {
    /// Decodes an object that the server answered with.
    func decoded<Kind: Decodable>(_ object: JSON, as kind: Kind.Type) throws -> Kind {
        do throws(JSON.DecodeError) {
            return try object.decode(kind)
        } catch {
            throw CommandFailure("the server's answer can't be read: \(error)")
        }
    }

    /// The diagnoses that ran on a node: this one, or the children of one that asked for several.
    func nodeDiagnoses(of diagnosis: Diagnosis) async throws -> [Diagnosis] {
        guard diagnosis.status?.aggregate != nil else { return [diagnosis] }
        let labels = LabelSelector(requirements: [.equals(WellKnown.parentLabel, diagnosis.uid.rawValue)])
        let children = try await list(Diagnosis.definition, namespace: diagnosis.namespace, labels: labels)
        return try children.map { try decoded($0, as: Diagnosis.self) }.sorted { $0.name < $1.name }
    }

    func evidence(of diagnosis: Diagnosis) async throws -> EvidenceList {
        EvidenceList(try await json(.get, EvidenceList.path(diagnosis.uid)), diagnosis: diagnosis.name, uid: diagnosis.uid)
    }
}

/// An error in words for people, as the program's end would tell it.
func failure(of error: any Error) -> CommandFailure {
    switch error {
    case let failure as CommandFailure: failure
    case let refusal as ServerRefusal: refusal.failure
    default: CommandFailure("\(error)")
    }
}
