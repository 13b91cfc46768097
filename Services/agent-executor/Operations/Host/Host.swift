public import HTTPClient

/// The machine as built-in operations see it: files below a root folder, clocks, programs, and HTTP.
public struct Host: Sendable {
    public let files: HostFiles
    public let clock: HostClock
    public let tools: HostTools
    public let http: HTTPClient
    private let readers: ReaderThreads
    private let callers: ReaderThreads

    /// - Parameters:
    ///   - readers: for what reads files.
    ///   - callers: for what waits for other machines, so that a network that is down holds up no reading.
    public init(
        files: HostFiles, clock: HostClock = .system, tools: HostTools, http: HTTPClient, readers: ReaderThreads,
        callers: ReaderThreads = ReaderThreads()
    ) {
        self.files = files
        self.clock = clock
        self.tools = tools
        self.http = http
        self.readers = readers
        self.callers = callers
    }

    /// The host as one execution sees it: its programs are ended with it, its reading stops when it is stopped.
    public func bound(to stop: StopFlag, run: ToolRun) -> Host {
        Host(files: files.bound(to: stop), clock: clock, tools: tools.bound(to: run), http: http, readers: readers, callers: callers)
    }

    /// Lets go of what still blocks in the kernel for this execution, which has ended.
    func giveUp() {
        readers.giveUp(files.stop)
        callers.giveUp(files.stop)
    }

    /// Runs what reads files on a thread that may block, since reading `/proc` can: a process that hangs in the kernel holds up whoever
    /// reads its memory's maps.
    public func read<Value: Sendable>(
        _ body: @escaping @Sendable (HostFiles) throws(BuiltInFault) -> Value
    ) async throws(BuiltInFault) -> Value {
        let files = files
        return try await readers.perform(for: files.stop) { () throws(BuiltInFault) in try body(files) }
    }

    /// Runs what connects to other machines on a thread that may block.
    public func call<Value: Sendable>(_ body: @escaping @Sendable () throws(BuiltInFault) -> Value) async throws(BuiltInFault) -> Value {
        try await callers.perform(for: files.stop, body)
    }

    /// Waits by the host's clock; throws `cancelled` when the execution is stopped meanwhile.
    public func sleep(seconds: Double) async throws(BuiltInFault) {
        do {
            try await clock.sleep(seconds)
        } catch {
            throw .cancelled
        }
        if files.stop.isSet { throw .cancelled }
    }
}
