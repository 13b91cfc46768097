import Foundation
import HTTPClient
import HTTPMessage
import Testing

extension HTTPClientSuite {
    /// What is sent twice, and what must not be.
    @Suite("Repeats")
    struct RepeatTests {
        /// Answers the first request of each connection, reads the second whole and closes without a word; `more` counts those that come
        /// after the second connection.
        private func forgetful(_ seen: Counter, more: Counter = Counter(), together: Int = 1) -> RawServer {
            let arrived = Counter()
            return RawServer { connection, number in
                if number > 1 { more.add(connection.waitingBytes()) }
                guard connection.readRequest() != nil else { return }
                arrived.add()
                // So many connections are there at once.
                while arrived.count < together { usleep(200) }
                connection.respond("first")
                if connection.readRequest() != nil { seen.add() }
            }
        }

        @Test(arguments: [Method.post, .patch, .delete], [0, 4, 500_000])
        func whatMustNotBeRepeatedIsNotWhenAKeptConnectionBreaks(method: Method, bodyBytes: Int) async throws {
            let (seen, more) = (Counter(), Counter())
            let server = forgetful(seen, more: more, together: 2)
            try await withClient { (client) async throws in
                // Two kept connections, so that there is another one to turn to.
                async let first = client.answer(ClientRequest(url: server.url()))
                async let second = client.answer(ClientRequest(url: server.url()))
                _ = try await (first, second)
                let body = [UInt8](repeating: 0x61, count: bodyBytes)
                let request = ClientRequest(method: method, url: server.url(), body: body, timeoutSeconds: 10, isIdempotent: false)
                guard case .connectionLost(_, neverSent: false) = await client.failure(request) else { throw TestFailure("not lost") }
                #expect(seen.count == 1)
            }
            // libcurl turns to another connection before it asks whether it may send.
            server.stop()
            #expect(await eventually { server.open == 0 })
            #expect(more.count == 0)
        }

        @Test func aGetOnAKeptConnectionThatBreaksIsRepeated() async throws {
            let seen = Counter()
            let server = forgetful(seen)
            try await withClient { (client) async throws in
                _ = try await client.answer(ClientRequest(url: server.url()))
                #expect(text(try await client.answer(ClientRequest(url: server.url(), timeoutSeconds: 10)).body) == "first")
                #expect(seen.count == 1 && server.accepted == 2)
            }
        }

        @Test func theFirstOfTwoSilentAttemptsCountsAsSent() async throws {
            let gate = Gate()
            let server = RawServer { connection, _ in
                guard connection.readRequest() != nil else { return }
                connection.respond("first")
                guard connection.readRequest() != nil else { return }
                gate.wait()
            }
            try await withClient { (client) async throws in
                _ = try await client.answer(ClientRequest(url: server.url()))
                server.stopListening()
                gate.open()
                let error = await client.failure(ClientRequest(method: .put, url: server.url(), body: [1], timeoutSeconds: 10))
                // libcurl's second attempt is refused, but the server has read the first.
                #expect(error?.provablyNotSent == false)
            }
        }

        @Test func retriesUntilItWorks() async throws {
            let seen = Counter()
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil {
                    seen.add()
                    if seen.count < 3 {
                        connection.respond("", status: "503 Service Unavailable", headers: "Retry-After: 0\r\n")
                    } else {
                        connection.respond("there")
                    }
                }
            }
            try await withClient { (client) async throws in
                let retry = RetryPolicy(attemptsMax: 5, backoffSeconds: 0.01)
                #expect(text(try await client.answer(ClientRequest(url: server.url(), retry: retry)).body) == "there")
                #expect(seen.count == 3)
            }
        }

        @Test func theLastAnswerIsReturnedWhenRetriesEnd() async throws {
            let seen = Counter()
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil {
                    seen.add()
                    connection.respond("full", status: "503 Service Unavailable")
                }
            }
            try await withClient { (client) async throws in
                let retry = RetryPolicy(attemptsMax: 3, backoffSeconds: 0.01)
                #expect(try await client.answer(ClientRequest(url: server.url(), retry: retry)).status == 503)
                #expect(seen.count == 3)
                #expect(try await client.answer(ClientRequest(method: .post, url: server.url(), body: [1], retry: retry)).status == 503)
                #expect(seen.count == 4)
                let repeatable = ClientRequest(method: .post, url: server.url(), body: [1], retry: retry, isIdempotent: true)
                #expect(try await client.answer(repeatable).status == 503)
                #expect(seen.count == 7)
            }
        }

        @Test func aRetryAfterPastTheDeadlineIsNotWaitedFor() async throws {
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil {
                    connection.respond("", status: "503 Service Unavailable", headers: "Retry-After: 60\r\n")
                }
            }
            try await withClient { (client) async throws in
                let start = ContinuousClock.now
                let answer = try await client.answer(
                    ClientRequest(url: server.url(), timeoutSeconds: 5, retry: RetryPolicy(attemptsMax: 5)))
                #expect(answer.status == 503)
                #expect(ContinuousClock.now - start < .seconds(3))
            }
        }

        @Test func anEarlierAttemptThatGotThroughIsNotForgotten() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
            }
            try await withClient { (client) async throws in
                let retry = RetryPolicy(attemptsMax: 2, backoffSeconds: 2)
                async let outcome = client.failure(ClientRequest(url: server.url(), timeoutSeconds: 10, retry: retry))
                #expect(await eventually { server.accepted == 1 })
                server.stopListening()
                let error = await outcome
                guard case .connectFailed(_, neverSent: false) = error else { throw TestFailure("\(String(describing: error))") }
            }
        }

        @Test func cancellingWhileItWaitsForTheNextAttempt() async throws {
            try await withClient { (client) async throws in
                let url = "http://127.0.0.1:\(closedPort())/"
                let retry = RetryPolicy(attemptsMax: 3, backoffSeconds: 60, backoffSecondsMax: 60)
                let task = Task {
                    await client.failure(ClientRequest(url: url, timeoutSeconds: 600, retry: retry))
                }
                task.cancel()
                #expect(await task.value?.provablyNotSent == true)
            }
        }
    }
}
