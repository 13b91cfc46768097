import Foundation
import Synchronization

/// One start of a service's program: a child process whose output is appended to its log.
final class ServiceChild: Sendable {
    enum End: Sendable, Equatable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        var description: String {
            switch self {
            case .exited(let status): "ended with status \(status)"
            case .signalled(let number): "was ended by signal \(number)"
            }
        }
    }

    /// From SIGTERM to SIGKILL; a service drains for 10 s at most.
    static let stopSecondsMax = 12
    /// A log longer than this is put aside at the next start.
    private static let logBytesMax: UInt64 = 64 << 20

    private static let starting = Mutex(())

    private let program: String
    private let arguments: [String]
    private let log: String

    init(program: String, arguments: [String], log: String) {
        self.program = program
        self.arguments = arguments
        self.log = log
    }

    /// Runs until the process ends. Cancelling the task ends it: SIGTERM, and SIGKILL if it does not go.
    func run() async throws -> End {
        let output = try openLog()
        defer { close(output) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(fileDescriptor: output, closeOnDealloc: false)
        process.standardError = FileHandle(fileDescriptor: output, closeOnDealloc: false)
        let (ends, continuation) = AsyncStream.makeStream(of: End.self)
        process.terminationHandler = { process in
            continuation.yield(
                process.terminationReason == .exit ? .exited(process.terminationStatus) : .signalled(process.terminationStatus))
            continuation.finish()
        }
        do {
            // Two of Foundation's that start at the same time can crash this process.
            try Self.starting.withLock { _ in try process.run() }
        } catch {
            throw CommandFailure("\(program) can't be started: \(error.localizedDescription)")
        }
        let identifier = process.processIdentifier
        return await withTaskCancellationHandler {
            // In a task of its own: the end has to be waited for also once this one is cancelled.
            await Task { await Self.first(of: ends) }.value
        } onCancel: {
            Self.stop(identifier)
        }
    }

    private static func first(of ends: AsyncStream<End>) async -> End {
        for await end in ends { return end }
        return .exited(0)
    }

    /// Asks the process to end, and makes it.
    ///
    /// It is asked every second: a signal that comes while a process is still starting is lost on it.
    private static func stop(_ identifier: pid_t) {
        kill(identifier, SIGTERM)
        for second in 1...stopSecondsMax {
            DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(second)) {
                // A process that was reaped meanwhile is no child any more; its number is not ours to signal then.
                if isChild(identifier) { kill(identifier, second == stopSecondsMax ? SIGKILL : SIGTERM) }
            }
        }
    }

    /// The fourth field of /proc/PID/stat, behind the command in parentheses.
    private static func isChild(_ identifier: pid_t) -> Bool {
        do {
            let text = String(decoding: try FileSystem.read("/proc/\(identifier)/stat", bytesMax: 4096), as: UTF8.self)
            guard let end = text.lastIndex(of: ")") else { return false }
            let fields = text[text.index(after: end)...].split(separator: " ")
            return fields.count > 1 && Int32(fields[1]) == getpid()
        } catch {
            return false
        }
    }

    private func openLog() throws -> Int32 {
        var info = stat()
        if stat(log, &info) == 0, UInt64(info.st_size) > Self.logBytesMax { rename(log, log + ".1") }
        let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileSystem.failure(log, errno) }
        return descriptor
    }
}
