import Foundation
import HTTPClient
import HTTPMessage
import Testing

extension HTTPClientSuite {
    @Suite("Streams")
    struct StreamTests {
        private static let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

        private func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

        private func collect(_ stream: ClientStream) async -> (lines: [String], error: HTTPClientError?) {
            var lines: [String] = []
            do {
                for try await line in stream.lines { lines.append(text(line)) }
                return (lines, nil)
            } catch {
                return (lines, error)
            }
        }

        @Test func linesArriveAsTheyAreWritten() async throws {
            let gate = Gate()
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(Self.chunkedHead)
                connection.write(chunk("one\ntw"))
                gate.wait()
                connection.write(chunk("o\nrest") + "0\r\n\r\n")
            }
            try await withClient { (client) async throws in
                let stream = try await client.stream(ClientRequest(url: server.url()))
                #expect(stream.status == 200)
                var lines = stream.lines.makeAsyncIterator()
                #expect(try await lines.next().map(text) == "one")
                gate.open()
                #expect(try await lines.next().map(text) == "two")
                #expect(try await lines.next().map(text) == "rest")
                #expect(try await lines.next() == nil)
            }
        }

        @Test func theHeadComesBeforeAnyBody() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(Self.chunkedHead)
                connection.waitForClose()
            }
            try await withClient { (client) async throws in
                let stream = try await client.stream(ClientRequest(url: server.url(), timeoutSeconds: 5))
                #expect(stream.headers["Transfer-Encoding"] == "chunked")
            }
        }

        @Test func aStreamThatBreaksOffKeepsItsWholeLinesAndSaysSo() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(Self.chunkedHead + chunk("one\ntwo\nhal"))
            }
            try await withClient { (client) async throws in
                let (lines, error) = await collect(try await client.stream(ClientRequest(url: server.url())))
                #expect(lines == ["one", "two"])
                guard case .connectionLost(_, neverSent: false) = error else { throw TestFailure("\(String(describing: error))") }
            }
        }

        @Test func aReaderThatStopsStopsTheServer() async throws {
            let (written, gate, megabyte) = (Counter(), Gate(), [UInt8](repeating: 0x0A, count: 1 << 20))
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(1 << 40)\r\n\r\n")
                written.add(connection.writeUntilBlocked(megabyte, patienceMilliseconds: 500))
                gate.open()
                while connection.write(megabyte) { written.add(megabyte.count) }
            }
            try await withClient(HTTPClientConfiguration(streamBufferBytesMax: 64 << 10)) { (client) async throws in
                let stream = try await client.stream(ClientRequest(url: server.url(), idleTimeoutSeconds: 0.2))
                // The server says that it can't write any more; what it has written sits in socket buffers, not here. That takes longer than
                // the idle timeout, which does not count while it is the reader who is slow.
                await Task.detached { gate.wait() }.value
                let blockedAt = written.count
                #expect(blockedAt < 24 << 20)
                var read = 0
                for try await chunk in stream.chunks {
                    #expect(chunk.count <= 64 << 10)
                    read += chunk.count
                    if read > blockedAt + (8 << 20) { break }
                }
                #expect(written.count > blockedAt)
            }
        }

        @Test func silenceEndsAStream() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(Self.chunkedHead + chunk("one\n"))
                connection.waitForClose()
            }
            try await withClient { (client) async throws in
                let start = ContinuousClock.now
                let stream = try await client.stream(ClientRequest(url: server.url(), timeoutSeconds: 30, idleTimeoutSeconds: 0.3))
                let (lines, error) = await collect(stream)
                #expect(lines == ["one"])
                #expect(error == .timedOut(.idle, neverSent: false))
                #expect(ContinuousClock.now - start < .seconds(3))
            }
        }

        @Test func aStreamOutlivesTheTimeoutOfItsHead() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(Self.chunkedHead)
                for number in 0..<8 {
                    connection.write(chunk("\(number)\n"))
                    usleep(300_000)
                }
                connection.write("0\r\n\r\n")
            }
            try await withClient { (client) async throws in
                let stream = try await client.stream(ClientRequest(url: server.url(), timeoutSeconds: 2, idleTimeoutSeconds: 10))
                let (lines, error) = await collect(stream)
                #expect(lines.count == 8 && error == nil)
            }
        }

        @Test func aHeadThatNeverComes() async throws {
            let server = RawServer { connection, _ in connection.waitForClose() }
            try await withClient { (client) async throws in
                let error = await client.streamFailure(ClientRequest(url: server.url(), timeoutSeconds: 0.3, idleTimeoutSeconds: 0.05))
                #expect(error == .timedOut(.response, neverSent: false))
            }
        }

        @Test func lettingGoOfAStreamClosesItsConnection() async throws {
            let left = Counter()
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(Self.chunkedHead + chunk("one\n"))
                connection.waitForClose()
                left.add()
            }
            try await withClient { (client) async throws in
                do {
                    let stream = try await client.stream(ClientRequest(url: server.url()))
                    var lines = stream.lines.makeAsyncIterator()
                    #expect(try await lines.next().map(text) == "one")
                }
                #expect(await eventually { left.count == 1 })
                let stream = try await client.stream(ClientRequest(url: server.url()))
                let reader = Task { await collect(stream) }
                reader.cancel()
                #expect(await reader.value.error == .cancelled(neverSent: false))
                #expect(await eventually { left.count == 2 })
            }
        }

        @Test func aLineOverTheLimitEndsTheStream() async throws {
            let left = Counter()
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\n\r\nok\n")
                let part = [UInt8](repeating: 0x78, count: 1_000)
                while connection.write(part) {}
                left.add()
            }
            try await withClient(HTTPClientConfiguration(lineBytesMax: 100_000)) { (client) async throws in
                let (lines, error) = await collect(try await client.stream(ClientRequest(url: server.url())))
                #expect(lines == ["ok"])
                #expect(error == .responseTooLarge(limitBytes: 100_000))
                #expect(await eventually { left.count == 1 })
            }
        }

        @Test func anErrorAnswerCanBeCollected() async throws {
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil { connection.respond("too old", status: "410 Gone") }
            }
            try await withClient { (client) async throws in
                let stream = try await client.stream(ClientRequest(url: server.url()))
                #expect(stream.status == 410)
                #expect(text(try await stream.collect(bytesMax: 100)) == "too old")
                let second = try await client.stream(ClientRequest(url: server.url()))
                let error = await second.collectFailure(bytesMax: 3)
                #expect(error == .responseTooLarge(limitBytes: 3))
            }
        }

        @Test func shutdownEndsStreams() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(Self.chunkedHead)
                connection.waitForClose()
            }
            let client = try HTTPClient()
            let stream = try await client.stream(ClientRequest(url: server.url()))
            async let outcome = collect(stream)
            await client.shutdown()
            #expect(await outcome.error == .closed(neverSent: false))
        }
    }
}
