import Model

/// The results of a run as they are reported: small ones whole, large ones as a preview and a reference.
///
/// A value is inline up to 16 KiB, all values together up to 256 KiB (counted as JSON). Past that a value is cut shorter and
/// shorter, but its key, size and digest are always there.
public struct ResultBook: Sendable, Equatable {
    public static let previewBytesMax = 4 * 1024
    public static let previewBytesMin = 256
    /// A value of up to so many bytes is always kept whole.
    public static let alwaysInlineBytesMax = 256
    public static let keyBytesMax = 253
    public static let keysMax = 2000

    public private(set) var values: [String: ResultValue] = [:]
    /// Where the whole of a cut value lies on this node.
    public private(set) var wholePaths: [String: String] = [:]
    private var costs: [String: Int] = [:]
    private var bytes = 0

    public init() {}

    /// Takes back what was journaled.
    public init(values: [String: ResultValue], wholePaths: [String: String]) {
        self.values = values
        self.wholePaths = wholePaths
        for (key, value) in values {
            costs[key] = Self.cost(key, value)
            bytes += Self.cost(key, value)
        }
    }

    /// Adds or replaces values in order; keys that are no keys are left out and returned.
    public mutating func merge(_ results: [StepResult]) -> [String] {
        var refused: [String] = []
        for result in results {
            let isNew = values[result.key] == nil
            guard !result.key.isEmpty, result.key.utf8.count <= Self.keyBytesMax, !isNew || values.count < Self.keysMax else {
                refused.append(Text.prefix(result.key, bytesMax: 64))
                continue
            }
            put(result)
        }
        return refused
    }

    private mutating func put(_ result: StepResult) {
        bytes -= costs[result.key] ?? 0
        let left = max(0, ResultValue.inlineBytesPerDiagnosisMax - bytes)
        let value = Self.value(of: result, bytesLeft: left)
        values[result.key] = value
        wholePaths[result.key] = nil
        if case .reference = value { wholePaths[result.key] = result.whole?.path }
        costs[result.key] = Self.cost(result.key, value)
        bytes += costs[result.key] ?? 0
    }

    private static func value(of result: StepResult, bytesLeft: Int) -> ResultValue {
        let size = result.text.utf8.count
        if result.isComplete, size <= ResultValue.inlineBytesMax, result.key.utf8.count + Text.jsonBytes(result.text) <= bytesLeft {
            return .text(result.text)
        }
        if result.isComplete, size <= alwaysInlineBytesMax { return .text(result.text) }
        let room = bytesLeft >= 64 * 1024 ? previewBytesMax : bytesLeft >= 8 * 1024 ? previewBytesMin : 0
        let preview = Text.prefix(result.text, bytesMax: room)
        guard let whole = result.whole else {
            return .text(preview)
        }
        return .reference(ResultReference(preview: preview, size: whole.size, sha256: whole.sha256, evidenceRef: whole.evidenceRef))
    }

    private static func cost(_ key: String, _ value: ResultValue) -> Int {
        key.utf8.count + Text.jsonBytes(value.preview)
    }
}
