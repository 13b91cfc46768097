import JSONCoding
import Model

/// The annotation in which kubectl's client-side apply keeps what it applied last.
public enum LastApplied {
    public static let annotation = "kubectl.kubernetes.io/last-applied-configuration"
    /// kubectl's name when it applies on the server; other names do without this.
    public static let manager = "kubectl"
    /// Kubernetes' limit for all annotations of an object; a longer one is left out.
    static let bytesMax = 262_144

    static func text(of object: JSON) -> String? {
        object[path: "metadata", "annotations", annotation]?.stringValue
    }

    /// What was applied last by the annotation of `object`; nil without one, or with one that does not read.
    static func fields(of object: JSON, _ schema: Schema) -> FieldSet? {
        guard let text = text(of: object), !text.isEmpty else { return nil }
        do {
            return FieldSet(of: try JSON(parsing: Array(text.utf8)).withoutNulls(), schema: schema)
        } catch {
            return nil
        }
    }

    /// Keeps the annotation of an object that has one in step with what kubectl applied on the server, so that a client-side apply can follow.
    public static func refresh(_ object: inout JSON, with config: JSON) {
        guard text(of: object) != nil else { return }
        var config = config
        config["metadata"]?["annotations"]?[annotation] = nil
        config["metadata"]?["managedFields"] = nil
        let text = "\(config)\n"
        object["metadata"]?["annotations"]?[annotation] = .string(text.utf8.count <= bytesMax ? text : "")
    }
}
