import Model

/// An operation that the agent carries itself: what it says of itself, and how it is run.
///
/// It looks at the machine through its `Host` alone, so that a folder with a recorded `/proc` is as good as the machine.
public struct BuiltIn: Sendable {
    public typealias Run = @Sendable (BuiltInContext, Host) async throws(BuiltInFault) -> BuiltInOutcome
    public typealias Plan = @Sendable (BuiltInContext) -> String

    public let declaration: BuiltInDeclaration
    public let run: Run
    /// What it would do with these parameters, in a sentence, for a dry run; of what only reads, nobody asks.
    public let plan: Plan

    public init(_ declaration: BuiltInDeclaration, plan: Plan? = nil, run: @escaping Run) {
        self.declaration = declaration
        self.run = run
        self.plan = plan ?? { _ in declaration.summary }
    }

    public var name: String { declaration.name }
}

/// What an operation came to when it could do its work.
public struct BuiltInOutcome: Sendable {
    /// A value that later operations and people see.
    public struct Result: Sendable, Equatable {
        public let key: String
        public let value: BuiltInValue

        public init(_ key: String, _ value: BuiltInValue) {
            self.key = key
            self.value = value
        }
    }

    public var results: [Result]
    public var finding: Finding?
    /// Why what it looked for is not there; nil where it is, or where it only collects.
    public var ruledOut: String?
    /// Files that it has left in the folder of its context.
    public var files: [EvidenceFile]

    private init(results: [Result], finding: Finding?, ruledOut: String?, files: [EvidenceFile]) {
        self.results = results
        self.finding = finding
        self.ruledOut = ruledOut
        self.files = files
    }

    /// It collected or did what it is for.
    public static func done(_ results: [Result] = [], files: [EvidenceFile] = []) -> BuiltInOutcome {
        BuiltInOutcome(results: results, finding: nil, ruledOut: nil, files: files)
    }

    /// The fault that it looks for is there.
    public static func found(_ finding: Finding, _ results: [Result] = [], files: [EvidenceFile] = []) -> BuiltInOutcome {
        BuiltInOutcome(results: results, finding: finding, ruledOut: nil, files: files)
    }

    /// The fault that it looks for is not there.
    ///
    /// - Parameters:
    ///   - summary: what was looked at and how it stands, in a sentence.
    ///   - finding: the measured values, with severity `Info`, where they are worth keeping.
    public static func ruledOut(
        _ summary: String, finding: Finding? = nil, _ results: [Result] = [], files: [EvidenceFile] = []
    ) -> BuiltInOutcome {
        BuiltInOutcome(results: results, finding: finding, ruledOut: summary, files: files)
    }
}

/// A file that an operation has left as evidence.
public struct EvidenceFile: Sendable, Equatable {
    /// As it was given to `BuiltInContext.evidencePath`.
    public let name: String
    /// An Internet media type.
    public let contentType: String

    public init(_ name: String, contentType: String) {
        self.name = name
        self.contentType = contentType
    }
}

/// All built-in operations, by name.
public struct BuiltInCatalogue: Sendable {
    /// In the order of their names.
    public let all: [BuiltIn]
    private let byName: [String: BuiltIn]

    /// Two operations of one name, or of one name as a resource, are a fault of ours.
    public init(_ operations: [BuiltIn]) {
        all = operations.sorted { $0.name < $1.name }
        byName = Dictionary(operations.map { ($0.name, $0) }) { first, _ in preconditionFailure("two built-ins are called \(first.name)") }
        precondition(Set(operations.map(\.declaration.resourceName)).count == operations.count, "two built-ins make one Operation")
    }

    public subscript(_ name: String) -> BuiltIn? { byName[name] }

    /// The name that was probably meant.
    public func nearest(to name: String) -> String? { NearestName.find(name, among: byName.keys.sorted()) }
}
