/// The writing end of a streamed response.
public struct ResponseWriter: Sendable {
    private let buffer: StreamBuffer
    private let transform: (@Sendable ([UInt8]) -> [UInt8])?

    init(_ buffer: StreamBuffer, transform: (@Sendable ([UInt8]) -> [UInt8])? = nil) {
        self.buffer = buffer
        self.transform = transform
    }

    /// A writer of this stream whose bytes go through `transform` first, such as a compressor. What that holds back is for whoever made it to
    /// write at the end, through this writer.
    public func transforming(_ transform: @escaping @Sendable ([UInt8]) -> [UInt8]) -> ResponseWriter {
        ResponseWriter(buffer, transform: transform)
    }

    /// Hands bytes to the client, who gets them as soon as the connection takes them.
    ///
    /// Returns at once while less than `streamBufferBytesMax` waits for the client and suspends while there is more. Bytes of one call stay
    /// together; calls of several tasks come in any order.
    public func write(_ bytes: [UInt8]) async throws(StreamClosed) {
        let bytes = transform?(bytes) ?? bytes
        while true {
            switch buffer.offer(bytes) {
            case .taken: return
            case .closed(let reason): throw reason
            case .full:
                await buffer.room()
                if Task.isCancelled { throw buffer.closedReason ?? .cancelled }
            }
        }
    }

    /// Suspends until the stream is over: for a stream that is waiting for something to say.
    public func closed() async -> StreamClosed {
        await buffer.closed()
    }
}

/// Why nothing more can be written to a stream.
public enum StreamClosed: Error, Sendable, Hashable {
    case clientLeft
    case draining
    /// The route's `streamSecondsMax` is over.
    case deadlineExceeded
    /// The task that writes was cancelled.
    case cancelled
}
