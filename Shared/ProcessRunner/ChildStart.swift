internal import CSpawn
import Glibc

/// Starts a child: work folder, pipes, fork and exec. Runs on the starter thread alone.
enum ChildStart {
    typealias Finish = @Sendable (Result<ProcessOutcome, ProcessError>) -> Void

    static func start(_ command: ProcessCommand, run: Run, finish: @escaping Finish) throws(ProcessError) -> Child {
        let vectors = try Vectors(command)
        if let folder = command.workFolder { try folder.make(script: command.program.scriptText, for: command.user) }
        do throws(ProcessError) {
            return try spawn(command, vectors, run, finish)
        } catch {
            _ = command.controlGroup?.end()
            command.workFolder?.clear()
            throw error
        }
    }

    private static func spawn(
        _ command: ProcessCommand, _ vectors: Vectors, _ run: Run, _ finish: @escaping Finish
    ) throws(ProcessError) -> Child {
        let directory = try openDirectory(command)
        defer { close(directory) }
        let group = try command.controlGroup.map { group throws(ProcessError) in try group.make() } ?? -1
        defer { if group >= 0 { close(group) } }
        var pipes = try Pipes()
        let startedAt = ContinuousClock.now
        let pid: pid_t
        let pidfd: Int32
        do throws(ProcessError) {
            let fed = try pipes.feed(command.standardInput)
            pid = try OrphanSweep.spawn { () throws(ProcessError) in try start(command, vectors, pipes, directory, group) }
            pipes.closeChildEnds()
            pidfd = cspawn_pidfd_open(pid)
            guard pidfd >= 0 else {
                abandon(pid)
                throw .resourcesExhausted(call: "pidfd_open", errno: -pidfd)
            }
            command.workFolder?.recordLeader(pid)
            return Child(
                command: command, run: run, pid: pid, pidfd: pidfd, pipes: pipes, inputOffset: fed, startedAt: startedAt, finish: finish)
        } catch {
            pipes.closeAll()
            throw error
        }
    }

    private static func openDirectory(_ command: ProcessCommand) throws(ProcessError) -> Int32 {
        let path = command.workFolder?.work ?? "/"
        let fd = cspawn_open_directory(path)
        guard fd >= 0 else { throw .workingDirectoryUnusable(path: path, errno: -fd) }
        return fd
    }

    private static func start(
        _ command: ProcessCommand, _ vectors: Vectors, _ pipes: Pipes, _ directory: Int32, _ group: Int32
    ) throws(ProcessError) -> pid_t {
        // "Text file busy": another thread of this process may have been starting something while the script was open for
        // writing, and its child holds our descriptor for the moment until its own exec.
        var pauseMicroseconds: UInt32 = 500
        while true {
            var pid: pid_t = 0
            var call: UnsafePointer<CChar>?
            let code = vectors.withCStrings { path, argv, envp in
                request(command, pipes, directory, group) { request in
                    request.path = path
                    request.argv = argv
                    request.envp = envp
                    return cspawn_start(&request, &pid, &call)
                }
            }
            if code == 0 { return pid }
            guard code == -ETXTBSY, pauseMicroseconds < 64_000 else {
                throw fault(-code, call.map { String(cString: $0) } ?? "fork", command, vectors)
            }
            usleep(pauseMicroseconds)
            pauseMicroseconds *= 2
        }
    }

    private static func request(
        _ command: ProcessCommand, _ pipes: Pipes, _ directory: Int32, _ group: Int32, _ body: (inout cspawn_request) -> Int32
    ) -> Int32 {
        var request = cspawn_request()
        request.directory = directory
        request.standard = (pipes.input.read, pipes.output.write, pipes.error.write)
        request.control_group = group
        request.file_mask = command.fileMask.map(Int32.init) ?? -1
        request.forbids_new_privileges = command.forbidsNewPrivileges ? 1 : 0
        if let user = command.user {
            request.changes_user = 1
            request.user = user.userID
            request.group = user.groupID
        }
        let limits = command.resourceLimits.all(command.marker)
        return limits.withUnsafeBufferPointer { limits in
            request.limits = limits.baseAddress
            request.limit_count = Int32(limits.count)
            guard let path = command.workingDirectory else { return body(&request) }
            return path.withCString {
                request.directory_path = $0
                return body(&request)
            }
        }
    }

    private static func fault(_ code: Int32, _ call: String, _ command: ProcessCommand, _ vectors: Vectors) -> ProcessError {
        switch (call, code) {
        case ("chdir", _): return .workingDirectoryUnusable(path: command.workingDirectory ?? command.workFolder?.work ?? "/", errno: code)
        case (_, EAGAIN), (_, ENOMEM), (_, EMFILE), (_, ENFILE): return .resourcesExhausted(call: call, errno: code)
        case ("execve", ENOENT), ("execve", ENOTDIR): return .programNotFound(vectors.interpreter ?? vectors.path)
        case ("execve", EACCES), ("execve", EPERM): return .accessDenied(vectors.path)
        case ("execve", ENOEXEC): return .notExecutable(vectors.path)
        case ("execve", E2BIG): return .argumentsTooLarge
        default: return .system(call: call, errno: code)
        }
    }

    /// A child that can't be watched is ended at once.
    private static func abandon(_ pid: pid_t) {
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        OrphanSweep.forget(leader: pid)
    }
}

/// Path, arguments and environment as C wants them, checked.
struct Vectors {
    let path: String
    /// What the kernel will look for when the program is a script with a `#!` line.
    let interpreter: String?
    private let arguments: [String]
    private let environment: [String]

    init(_ command: ProcessCommand) throws(ProcessError) {
        switch command.program {
        case .file(let file):
            path = file
            interpreter = nil
            arguments = [file] + command.arguments
        case .script(let text):
            guard let folder = command.workFolder else { preconditionFailure("a script needs a work folder") }
            let file = "\(folder.path)/\(WorkFolder.scriptName)"
            interpreter = Self.interpreter(of: text)
            path = interpreter == nil ? "/bin/sh" : file
            arguments = (interpreter == nil ? ["/bin/sh", file] : [file]) + command.arguments
        }
        var variables = command.environment
        if let marker = command.marker { variables[marker.name] = marker.value }
        environment = variables.map { "\($0.key)=\($0.value)" }
        if let bad = arguments.firstIndex(where: { $0.utf8.contains(0) }) { throw .argumentInvalid("argument \(bad) contains NUL") }
        for (name, value) in variables where name.isEmpty || name.utf8.contains(0) || name.contains("=") || value.utf8.contains(0) {
            throw .argumentInvalid("variable \"\(name)\"")
        }
    }

    /// The program of a `#!` line, nil where there is none.
    static func interpreter(of script: [UInt8]) -> String? {
        guard script.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) else { return nil }
        let line = script.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
        let word = line.drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 != 0x20 && $0 != 0x09 }
        return word.isEmpty ? nil : String(decoding: word, as: UTF8.self)
    }

    func withCStrings<Result>(
        _ body: (UnsafePointer<CChar>?, UnsafePointer<UnsafeMutablePointer<CChar>?>?, UnsafePointer<UnsafeMutablePointer<CChar>?>?) ->
            Result
    ) -> Result {
        let argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        let envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer {
            for pointer in argv { free(pointer) }
            for pointer in envp { free(pointer) }
        }
        return path.withCString { path in
            argv.withUnsafeBufferPointer { a in envp.withUnsafeBufferPointer { e in body(path, a.baseAddress, e.baseAddress) } }
        }
    }
}

extension ResourceLimits {
    func all(_ marker: ProcessMarker?) -> [cspawn_limit] {
        var limits: [cspawn_limit] = []
        func add(_ resource: __rlimit_resource, _ value: Int?, extra: Int = 0) {
            guard let value else { return }
            limits.append(cspawn_limit(resource: Int32(resource.rawValue), soft: UInt64(value), hard: UInt64(value + extra)))
        }
        add(RLIMIT_CPU, cpuSeconds, extra: 1)
        add(RLIMIT_FSIZE, fileSizeBytes)
        add(RLIMIT_NOFILE, openFiles)
        add(__RLIMIT_NPROC, processes)
        add(RLIMIT_AS, addressSpaceBytes)
        add(RLIMIT_CORE, coreBytes)
        if let marker, let family = FamilyLimit(name: marker.name, family: marker.family), family.canBeSet {
            let limit = family.microseconds
            limits.append(cspawn_limit(resource: Int32(__RLIMIT_RTTIME.rawValue), soft: limit, hard: limit))
        }
        return limits
    }
}

extension ProcessCommand.Program {
    var scriptText: [UInt8]? {
        if case .script(let text) = self { text } else { nil }
    }
}
