import Model

/// How one execution of a step ended.
public enum StepEnd: Sendable, Equatable {
    case found([StepResult])
    case ruledOut([StepResult], StepFault)
    case failed([StepResult], StepFault)

    public static func failed(_ reason: StepFault.Reason, _ message: String) -> StepEnd { .failed([], StepFault(reason, message)) }

    public var results: [StepResult] {
        switch self {
        case .found(let results), .ruledOut(let results, _), .failed(let results, _): results
        }
    }

    public var outcome: StepOutcome {
        switch self {
        case .found: .found
        case .ruledOut: .ruledOut
        case .failed: .error
        }
    }

    public var fault: StepFault? {
        switch self {
        case .found: nil
        case .ruledOut(_, let fault), .failed(_, let fault): fault
        }
    }
}

/// Why a step did not find anything.
public struct StepFault: Sendable, Equatable {
    public enum Reason: String, Sendable, CaseIterable {
        /// The node's system refuses what a built-in operation needs.
        case accessDenied = "AccessDenied"
        case argumentInvalid = "ArgumentInvalid"
        case argumentTooLarge = "ArgumentTooLarge"
        case cancelled = "Cancelled"
        /// A built-in operation could not make sense of what it saw.
        case checkFailed = "CheckFailed"
        case deadlineExceeded = "DeadlineExceeded"
        case exitStatus = "ExitStatus"
        case httpFailed = "HTTPFailed"
        case httpStatus = "HTTPStatus"
        /// The agent ended while the step ran, and no attempt is left.
        case interrupted = "Interrupted"
        /// The kernel killed it, because its control group's memory was at its limit.
        case outOfMemory = "OutOfMemory"
        case planInvalid = "PlanInvalid"
        case programNotFound = "ProgramNotFound"
        case responseInvalid = "ResponseInvalid"
        case ruledOut = "RuledOut"
        case runtimeUnsupported = "RuntimeUnsupported"
        case signaled = "Signaled"
        case startFailed = "StartFailed"
        case storageUnusable = "StorageUnusable"
        case stuck = "ProcessStuck"
        case timedOut = "TimedOut"
        /// Something that a built-in operation needs is not there.
        case unavailable = "Unavailable"
        /// The user that the operation is to run as is not on this node, or this agent can't become it.
        case userUnavailable = "UserUnavailable"
    }

    public static let messageBytesMax = 1024
    /// What a step says that waits while another one changes the node; no fault.
    static let nodeBusy = "NodeBusy"

    public let reason: Reason
    public let message: String

    public init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = Text.prefix(message, bytesMax: Self.messageBytesMax)
    }
}

/// A value that a step produced, as much of it as is in memory, and where the whole lies if that is more.
public struct StepResult: Sendable, Equatable {
    public struct Whole: Sendable, Equatable {
        /// Bytes in the file.
        public let size: Int
        public let sha256: String
        public let evidenceRef: String
        /// On this node.
        public let path: String

        public init(size: Int, sha256: String, evidenceRef: String, path: String) {
            self.size = size
            self.sha256 = sha256
            self.evidenceRef = evidenceRef
            self.path = path
        }
    }

    public let key: String
    public let text: String
    /// The file that holds the value; a value that has none is kept inline or cut.
    public let whole: Whole?
    /// Whether `text` is all of it.
    public let isComplete: Bool

    public init(key: String, text: String, whole: Whole? = nil, isComplete: Bool = true) {
        self.key = key
        self.text = text
        self.whole = whole
        self.isComplete = isComplete
    }
}
