public import Model

/// Why an operation could not do its work: it says nothing about what it was to look for.
public enum BuiltInFault: Error, Sendable, Equatable {
    /// What is wrong with which parameters.
    case parametersInvalid([FieldFault])
    /// A program that is not on this node, and the package that has it.
    case toolMissing(tool: String, package: String)
    /// What was refused, and what would allow it: `/proc/1/stack`, `the agent to run as root`.
    case privilegeMissing(what: String, needs: String)
    /// A file that can't be read, for another reason than a missing privilege.
    case unreadable(path: String, reason: String)
    /// Something that it needs is not there: a cluster, a daemon's socket, a feature of the kernel.
    case unavailable(String)
    /// A tool or a server that did not end in time.
    case timedOut(String)
    /// It looked, and what it saw makes no sense; or the tool that it ran failed.
    case failed(String)
    case cancelled

    public var message: String {
        switch self {
        case .parametersInvalid(let faults): faults.map(\.description).joined(separator: "; ")
        case .toolMissing(let tool, let package): "\(tool) is not on this node; the package \(package) has it"
        case .privilegeMissing(let what, let needs): "\(what) is refused; it needs \(needs)"
        case .unreadable(let path, let reason): "\(path) can't be read: \(reason)"
        case .unavailable(let text), .timedOut(let text), .failed(let text): text
        case .cancelled: "cancelled while it ran"
        }
    }

    /// `gdb did not end within 2.5 s`, to a tenth of a second.
    static func late(_ what: String, seconds: Double) -> String {
        let tenths = (seconds * 10).rounded() / 10
        return "\(what) did not end within \(tenths == tenths.rounded() ? "\(Int(tenths))" : "\(tenths)") s"
    }

    /// One fault of one parameter.
    public static func parameter(_ key: String, _ message: String) -> BuiltInFault {
        .parametersInvalid([FieldFault(key, .invalid, message)])
    }
}
