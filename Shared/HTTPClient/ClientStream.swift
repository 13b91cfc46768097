public import HTTPMessage

/// An answer whose body is read as it arrives, by one reader.
///
/// A reader that falls behind stops the server: no more than `streamBufferBytesMax` is held here. Letting go of the stream and of its
/// sequences, or cancelling the task that reads, ends the transfer.
public struct ClientStream: Sendable {
    public let status: Int
    public let headers: Headers
    private let reader: StreamReader
    private let lineBytesMax: Int

    init(status: Int, headers: Headers, reader: StreamReader, lineBytesMax: Int) {
        self.status = status
        self.headers = headers
        self.reader = reader
        self.lineBytesMax = lineBytesMax
    }

    /// The body's lines without their newlines; a rest without one counts as a line only where the answer ended in good order.
    ///
    /// - Throws: while iterating, `HTTPClientError`: `connectionLost` where it broke off, `timedOut(.idle)` after silence,
    ///   `responseTooLarge` for a line over `lineBytesMax`.
    public var lines: Lines { Lines(reader: reader, lineBytesMax: lineBytesMax) }

    /// The body as it comes, in pieces of any length.
    public var chunks: Chunks { Chunks(reader: reader) }

    /// Reads what is left, for an answer that turned out to be an error.
    ///
    /// - Throws: `responseTooLarge` past `bytesMax`; otherwise as `lines`.
    public func collect(bytesMax: Int) async throws(HTTPClientError) -> [UInt8] {
        var body: [UInt8] = []
        while let chunk = try await reader.next() {
            guard body.count + chunk.count <= bytesMax else {
                cancel()
                throw .responseTooLarge(limitBytes: bytesMax)
            }
            body += chunk
        }
        return body
    }

    /// Ends the transfer; a reader gets `cancelled`.
    public func cancel() {
        reader.cancel()
    }

    public struct Chunks: AsyncSequence, Sendable {
        public typealias Element = [UInt8]
        public typealias Failure = HTTPClientError
        let reader: StreamReader

        public func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

        public struct Iterator: AsyncIteratorProtocol {
            let reader: StreamReader

            public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async throws(HTTPClientError) -> [UInt8]? {
                try await reader.next()
            }
        }
    }

    public struct Lines: AsyncSequence, Sendable {
        public typealias Element = [UInt8]
        public typealias Failure = HTTPClientError
        let reader: StreamReader
        let lineBytesMax: Int

        public func makeAsyncIterator() -> Iterator {
            Iterator(reader: reader, lineBytesMax: lineBytesMax, splitter: LineSplitter(lineBytesMax: lineBytesMax))
        }

        public struct Iterator: AsyncIteratorProtocol {
            let reader: StreamReader
            let lineBytesMax: Int
            var splitter: LineSplitter

            public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async throws(HTTPClientError) -> [UInt8]? {
                while true {
                    do {
                        if let line = try splitter.next() { return line }
                    } catch {
                        reader.cancel()
                        throw .responseTooLarge(limitBytes: lineBytesMax)
                    }
                    guard let chunk = try await reader.next() else { return splitter.finish() }
                    splitter.feed(chunk)
                }
            }
        }
    }
}

/// The reading end of a stream; its end is the transfer's.
final class StreamReader: Sendable {
    private let channel: ByteChannel
    private let id: UInt64
    /// Keeps the loop running for as long as someone reads.
    private let client: HTTPClient

    init(channel: ByteChannel, id: UInt64, client: HTTPClient) {
        self.channel = channel
        self.id = id
        self.client = client
    }

    deinit {
        cancel()
    }

    /// What has arrived since the last call; nil at the end.
    func next() async throws(HTTPClientError) -> [UInt8]? {
        while true {
            switch channel.take() {
            case .chunk(let bytes, let unpause):
                if unpause { client.mailbox.post(.unpause(id)) }
                return bytes
            case .ended(nil): return nil
            case .ended(let error?): throw error
            case .nothingYet:
                await withTaskCancellationHandler {
                    await channel.waitUntilReady()
                } onCancel: {
                    cancel()
                }
            }
        }
    }

    func cancel() {
        if channel.abandon() { client.mailbox.post(.cancel(id)) }
    }
}
