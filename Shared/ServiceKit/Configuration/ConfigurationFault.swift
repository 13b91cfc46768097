/// One thing that is wrong with the configuration, and where it was said.
public struct ConfigurationFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where a value came from.
    public enum Origin: Sendable, Hashable {
        case flag(String)
        case environment(String)
        case file(path: String, line: Int?, key: String?)
        /// Nobody gave it, or several settings together are wrong.
        case setting(String)
    }

    public let origin: Origin
    public let message: String

    public init(_ origin: Origin, _ message: String) {
        self.origin = origin
        self.message = message
    }

    public var description: String {
        switch origin {
        case .flag(let name): "\(name): \(message)"
        case .environment(let name): "\(name) (environment): \(message)"
        case .file(let path, let line, let key):
            "\(path)\(line.map { ":\($0)" } ?? "")\(key.map { " \($0)" } ?? ""): \(message)"
        case .setting(let name): "\(name): \(message)"
        }
    }
}

/// Every fault of a configuration at once: printed together, exit status 78 (`EX_CONFIG` of sysexits.h).
public struct ConfigurationFaults: Error, Sendable, CustomStringConvertible {
    public let faults: [ConfigurationFault]

    public static let exitStatus: Int32 = 78

    public init(_ faults: [ConfigurationFault]) {
        self.faults = faults
    }

    public var description: String { faults.map(\.description).joined(separator: "\n") }
}
