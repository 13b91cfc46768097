import ArgumentParser

#if canImport(Glibc)
    import Glibc
#endif

/// The command line from its arguments to its exit status.
public enum CommandLineProgram {
    /// Runs one command. What it has to say goes to standard output, what is wrong to standard error.
    public static func run(_ arguments: [String]) async -> Int32 {
        // A reader that leaves (`kubediag get … | head`) is the end of the output, not of the world.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try KubeDiag.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return ExitStatus.succeeded.rawValue
        } catch let end as CommandEnd {
            return end.status.rawValue
        } catch let refusal as ServerRefusal {
            Terminal.standardError.write(refusal.failure.text)
            return refusal.failure.status.rawValue
        } catch let failure as CommandFailure {
            Terminal.standardError.write(failure.text)
            return failure.status.rawValue
        } catch {
            return report(error)
        }
    }

    /// What the parser says: help and versions on standard output, mistakes on standard error.
    private static func report(_ error: any Error) -> Int32 {
        let code = KubeDiag.exitCode(for: error)
        let text = KubeDiag.fullMessage(for: error)
        if code == .success {
            Terminal.standardOutput.write(text + "\n")
            return ExitStatus.succeeded.rawValue
        }
        if code == .validationFailure {
            Terminal.standardError.write(text + "\n")
            return ExitStatus.usage.rawValue
        }
        Terminal.standardError.write("error: \(Terminal.shown(String(describing: error)))\n")
        return ExitStatus.failed.rawValue
    }
}

/// The exit statuses of `kubediag`, as `kubediag --help` documents them.
public enum ExitStatus: Int32, Sendable {
    case succeeded = 0
    /// A diagnosis failed, or the command did.
    case failed = 1
    /// The command line is wrong.
    case usage = 2
    /// A diagnosis came to its end and every line of investigation was ruled out.
    case nothingFound = 3
    /// How a diagnosis ends is not known: its agent is out of reach, or it did not end within `--timeout`.
    case unknown = 4
    /// A file that was read is wrong (EX_DATAERR).
    case data = 65
    /// The server does not answer (EX_UNAVAILABLE).
    case unreachable = 69
    /// The server does not accept the token (EX_NOPERM).
    case refused = 77
    /// Ctrl-C.
    case interrupted = 130
}

/// Ends a command with a status after everything was said.
struct CommandEnd: Error {
    let status: ExitStatus
}

/// What went wrong, for people: one sentence, then what to do about it.
struct CommandFailure: Error {
    var status: ExitStatus = .failed
    var message: String
    /// Lines below the message, each a way out.
    var hints: [String] = []

    init(_ message: String, hints: [String] = [], status: ExitStatus = .failed) {
        self.message = message
        self.hints = hints
        self.status = status
    }

    var text: String {
        (["error: \(message)"] + hints.map { "  \($0)" }).map { Terminal.shownLines($0) }.joined(separator: "\n") + "\n"
    }
}
