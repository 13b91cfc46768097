internal import CSpawn
import Glibc

/// A running child: its descriptors, what it has written so far and where its life stands. Confined to the loop's thread once
/// it has been handed over.
final class Child {
    enum Channel: UInt64 {
        case pidfd = 0
        case input = 1
        case output = 2
        case error = 3
    }

    let run: Run
    let pid: pid_t
    let marker: ProcessMarker?
    let workFolder: WorkFolder?
    let controlGroup: ControlGroup?
    let finish: ChildStart.Finish
    let startedAt: ContinuousClock.Instant
    var pidfd: Int32
    var pipes: Pipes
    var lifecycle: ChildLifecycle
    private let standardInput: [UInt8]
    private var inputOffset: Int
    private var output: OutputCapture
    private var error: OutputCapture
    private var files: OutputFileSet

    init(
        command: ProcessCommand, run: Run, pid: pid_t, pidfd: Int32, pipes: Pipes, inputOffset: Int, startedAt: ContinuousClock.Instant,
        finish: @escaping ChildStart.Finish
    ) {
        self.run = run
        self.pid = pid
        self.pidfd = pidfd
        self.pipes = pipes
        self.inputOffset = inputOffset
        self.startedAt = startedAt
        self.finish = finish
        standardInput = command.standardInput
        marker = command.marker
        workFolder = command.workFolder
        controlGroup = command.controlGroup
        let limits = command.limits
        lifecycle = ChildLifecycle(limits: limits, timeout: command.timeout, startedAt: startedAt)
        output = OutputCapture(headBytesMax: limits.headBytesMax, tailBytesMax: limits.tailBytesMax)
        error = OutputCapture(headBytesMax: limits.headBytesMax, tailBytesMax: limits.tailBytesMax)
        files = OutputFileSet(command.outputFiles)
    }

    var arePipesClosed: Bool { pipes.output.read < 0 && pipes.error.read < 0 }

    /// Writes what the child takes now; true when there is nothing left to write or nobody left to read it.
    func feed() -> Bool {
        while inputOffset < standardInput.count {
            let count = standardInput[inputOffset...].withUnsafeBytes { write(pipes.input.write, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return errno != EAGAIN }
            inputOffset += count
        }
        return true
    }

    /// Reads what is there, a bounded share of it, so that one loud child doesn't starve the others; true at the end.
    func drain(_ channel: Channel, _ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        let fd = channel == .output ? pipes.output.read : pipes.error.read
        for _ in 0..<4 {
            let count = read(fd, buffer.baseAddress, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return errno != EAGAIN }
            if count == 0 { return true }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if channel == .output {
                files.append(bytes, to: .standardOutput, after: output)
                output.append(bytes)
            } else {
                files.append(bytes, to: .standardError, after: error)
                error.append(bytes)
            }
            // A pipe that gave less than was asked is empty; asking again would only say so.
            if count < buffer.count { return false }
        }
        return false
    }

    func outcome(_ exit: cspawn_exit?) -> ProcessOutcome {
        files.close()
        var usage = ResourceUsage()
        var termination = ProcessOutcome.Termination.stuck
        if let exit {
            usage.userMicroseconds = exit.user_us
            usage.systemMicroseconds = exit.system_us
            usage.residentKiBMax = exit.resident_max_kib
            termination =
                exit.exited == 1 ? .exited(status: exit.code) : .signaled(number: exit.code, coreDumped: exit.core_dumped != 0)
        }
        return ProcessOutcome(
            termination: termination, cause: lifecycle.cause, wasKilled: lifecycle.wasKilled,
            standardOutput: output.captured(fileBytes: files.outputBytes), standardError: error.captured(fileBytes: files.errorBytes),
            outputFileFault: files.fault, processID: pid, duration: .now - startedAt, usage: usage, escapedCount: 0, memoryKillCount: 0)
    }
}
