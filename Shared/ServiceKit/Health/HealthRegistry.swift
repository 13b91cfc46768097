import JSONCoding
import Synchronization

/// Something that has to hold before this process can do its work, such as that a peer answers.
///
/// It starts as missing. Whoever owns it says when it holds and when it does not; `/readyz` shows the message meanwhile.
public final class HealthCondition: Sendable {
    /// One word in camel case, such as `SchedulerReachable`.
    public let name: String
    private let missing: Mutex<String?>

    init(name: String, message: String) {
        self.name = name
        missing = Mutex(message)
    }

    /// It holds from now on.
    public func satisfy() {
        missing.withLock { $0 = nil }
    }

    /// It does not hold: `message` says what is missing, in words for whoever operates this.
    public func fail(_ message: String) {
        missing.withLock { $0 = message }
    }

    /// What is missing; nil while it holds.
    public var message: String? { missing.withLock { $0 } }
}

/// The conditions behind `/readyz`.
public final class HealthRegistry: Sendable {
    private let conditions = Mutex<[HealthCondition]>([])

    public init() {}

    /// Registers a condition that does not hold yet, for the reason that `message` gives.
    public func condition(_ name: String, missing message: String) -> HealthCondition {
        let condition = HealthCondition(name: name, message: message)
        conditions.withLock { $0.append(condition) }
        return condition
    }

    /// Every condition that does not hold, with what it is missing, in the order of registration.
    public var missing: [(name: String, message: String)] {
        conditions.withLock { $0 }.compactMap { condition in condition.message.map { (condition.name, $0) } }
    }

    /// The body of `/readyz`: `{"ready":…,"missing":[{"condition","message"}]}`.
    static func json(missing: [(name: String, message: String)]) -> JSON {
        .object([
            "ready": .bool(missing.isEmpty),
            "missing": .array(missing.map { .object(["condition": .string($0.name), "message": .string($0.message)]) }),
        ])
    }
}
