import Dispatch

#if canImport(Glibc)
    import Glibc
#endif

/// Signals of this process as a stream of their numbers.
enum SignalStream {
    /// From now on the signals no longer end the process. In a nonisolated function, since the handlers run on Dispatch's threads.
    static func numbers(_ numbers: [Int32]) -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(4))
        let queue = DispatchQueue(label: "signals")
        for number in numbers {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                // The handler keeps its source: both live for as long as the process.
                withExtendedLifetime(source) { _ = continuation.yield(number) }
            }
            source.activate()
        }
        return stream
    }
}
