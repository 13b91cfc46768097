/// An API group in one of its versions: where kinds live, and what their objects say in `apiVersion`.
public struct GroupVersion: Sendable, Hashable {
    /// Empty for Kubernetes' core kinds, which are below `/api` and not `/apis`.
    public let group: String
    public let version: String

    public init(group: String, version: String) {
        self.group = group
        self.version = version
    }

    /// Kubernetes' own first kinds.
    public static let core = GroupVersion(group: "", version: "v1")
    /// Our kinds.
    public static let diagnosis = GroupVersion(group: API.group, version: API.version)

    /// As objects and documents spell it: `diagnosis.kubediag.org/v1`, or `v1`.
    public var text: String { group.isEmpty ? version : "\(group)/\(version)" }
    /// `apis/diagnosis.kubediag.org/v1`, or `api/v1`: where its kinds are below a server's root.
    public var path: String { group.isEmpty ? "api/\(version)" : "apis/\(group)/\(version)" }
}
