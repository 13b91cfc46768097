import Glibc

/// The signals that may be sent.
enum SignalNames {
    static let all: [(name: String, number: Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ABRT", SIGABRT), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("USR2", SIGUSR2),
        ("TERM", SIGTERM), ("CONT", SIGCONT), ("STOP", SIGSTOP),
    ]

    /// `SIGTERM`, `TERM` or `15`; nil for a signal that is not to be sent.
    static func number(_ text: String) -> Int32? {
        let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
        return all.first { $0.name == name || String($0.number) == text }?.number
    }

    static func name(_ number: Int32) -> String { "SIG" + (all.first { $0.number == number }?.name ?? "\(number)") }

    static var words: String { all.map { "SIG\($0.name)" }.joined(separator: ", ") }
}
