/// The labels (or annotations) of an alert: names with their values, sorted by the names' bytes.
///
/// A sorted list rather than a dictionary: an alert has some ten labels, they are looked up a few times and hashed in order once.
public struct LabelSet: Sendable, Hashable {
    public struct Label: Sendable, Hashable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public let sorted: [Label]

    /// Of labels with the same name the first one stays.
    public init(_ labels: some Sequence<Label>) {
        let all = labels.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        guard zip(all, all.dropFirst()).contains(where: { $0.name == $1.name }) else {
            sorted = all
            return
        }
        var sorted: [Label] = []
        for label in all where label.name != sorted.last?.name { sorted.append(label) }
        self.sorted = sorted
    }

    public init(_ labels: [String: String] = [:]) {
        self.init(labels.lazy.map { Label(name: $0.key, value: $0.value) })
    }

    /// The value of a label; nil where there is none, which is not the same as an empty value.
    public subscript(name: String) -> String? {
        for label in sorted where label.name == name { return label.value }
        return nil
    }

    public var dictionary: [String: String] {
        Dictionary(sorted.lazy.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

extension LabelSet: CustomStringConvertible {
    /// As Prometheus writes them: `{instance="web-07:9100",mountpoint="/var"}`.
    public var description: String {
        "{" + sorted.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    }
}
