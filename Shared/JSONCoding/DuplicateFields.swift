/// The paths of keys that a document has twice in one object, collected while it is read.
public struct DuplicateFields: Sendable {
    public enum Step: Sendable, Hashable {
        case member(String)
        case index(Int)
    }

    /// Paths kept at most: a document can be made of duplicates alone.
    public static let countMax = 100

    private var steps: [Step] = []
    private var seen: Set<String> = []
    /// As field paths are written: `spec.steps[2].name`.
    public private(set) var paths: [String] = []

    public init() {}

    public mutating func enter(_ step: Step) { steps.append(step) }

    public mutating func leave() { steps.removeLast() }

    /// The place where the reader is now has been there before.
    public mutating func note() {
        guard paths.count < Self.countMax else { return }
        var path = ""
        for step in steps {
            switch step {
            case .member(let key): path += path.isEmpty ? key : ".\(key)"
            case .index(let index): path += "[\(index)]"
            }
        }
        if seen.insert(path).inserted { paths.append(path) }
    }
}
