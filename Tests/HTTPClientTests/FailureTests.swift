import Foundation
import HTTPClient
import HTTPMessage
import Testing

extension HTTPClientSuite {
    @Suite("Failures")
    struct FailureTests {
        private func send(_ request: ClientRequest, _ configuration: HTTPClientConfiguration = HTTPClientConfiguration()) async throws
            -> HTTPClientError?
        {
            try await withClient(configuration) { (client) async throws in
                await client.failure(request)
            }
        }

        @Test func refusedIsProvablyNotSent() async throws {
            let error = try await send(ClientRequest(method: .post, url: "http://127.0.0.1:\(closedPort())/", body: [1]))
            guard case .connectFailed(_, neverSent: true) = error else { throw TestFailure("\(String(describing: error))") }
        }

        @Test func aNameThatDoesNotResolve() async throws {
            let error = try await send(ClientRequest(url: "http://name.invalid/", timeoutSeconds: 10))
            #expect(error?.provablyNotSent == true)
        }

        @Test func tlsToAPlainServerIsNotSent() async throws {
            let server = RawServer { connection, _ in connection.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
            let error = try await send(ClientRequest(url: "https://127.0.0.1:\(server.port)/", timeoutSeconds: 10))
            guard case .connectFailed(_, neverSent: true) = error else { throw TestFailure("\(String(describing: error))") }
        }

        @Test(arguments: [
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\nContent-", "",
        ])
        func truncatedAnswersAreLostNotShort(answer: String) async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(answer)
            }
            let error = try await send(ClientRequest(url: server.url(), timeoutSeconds: 10))
            guard case .connectionLost(_, neverSent: false) = error else { throw TestFailure("\(String(describing: error))") }
        }

        @Test func resets() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
                connection.reset()
            }
            let error = try await send(ClientRequest(url: server.url(), timeoutSeconds: 10))
            guard case .connectionLost(_, neverSent: false) = error else { throw TestFailure("\(String(describing: error))") }
        }

        @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "\r\n\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"])
        func whatIsNotHTTP(answer: String) async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write(answer)
            }
            let error = try await send(ClientRequest(url: server.url(), timeoutSeconds: 10))
            guard case .protocolError = error else { throw TestFailure("\(String(describing: error))") }
        }

        @Test func hugeAnswersAnnouncedOrNot() async throws {
            let megabyte = [UInt8](repeating: 0x78, count: 1 << 20)
            let written = Counter()
            let server = RawServer { connection, number in
                _ = connection.readRequest()
                connection.write(number == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n")
                while written.count < 256, connection.write(megabyte) { written.add() }
            }
            for _ in 0..<2 {
                let error = try await send(ClientRequest(url: server.url(), timeoutSeconds: 20, responseBytesMax: 3 << 20))
                #expect(error == .responseTooLarge(limitBytes: 3 << 20))
            }
            #expect(written.count < 64, "the client kept reading")
        }

        @Test func anAnswerOfExactlyTheLimitIsTaken() async throws {
            let server = RawServer { connection, _ in
                while connection.readRequest() != nil { connection.respond(String(repeating: "x", count: 1_000)) }
            }
            try await withClient { (client) async throws in
                #expect(try await client.answer(ClientRequest(url: server.url(), responseBytesMax: 1_000)).body.count == 1_000)
                let error = await client.failure(ClientRequest(url: server.url(), responseBytesMax: 999))
                #expect(error == .responseTooLarge(limitBytes: 999))
            }
        }

        @Test func hugeHeads() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\n")
                for number in 0..<10_000 where !connection.write("X-\(number): \(String(repeating: "y", count: 50))\r\n") { return }
            }
            let error = try await send(ClientRequest(url: server.url(), timeoutSeconds: 10))
            guard case .protocolError = error else { throw TestFailure("\(String(describing: error))") }
        }

        @Test func aServerThatNeverAnswers() async throws {
            let server = RawServer { connection, _ in connection.waitForClose() }
            let start = ContinuousClock.now
            let error = try await send(ClientRequest(url: server.url(), timeoutSeconds: 0.2))
            #expect(error == .timedOut(.response, neverSent: false))
            #expect(ContinuousClock.now - start < .seconds(3))
        }

        @Test func aServerThatDripsIsCutOffByTheTotalDeadline() async throws {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while connection.write("x") { usleep(10_000) }
            }
            let error = try await send(ClientRequest(url: server.url(), timeoutSeconds: 0.3))
            #expect(error == .timedOut(.body, neverSent: false))
        }

        @Test func aHandshakeThatHangsIsAConnectTimeout() async throws {
            let server = RawServer { connection, _ in connection.waitForClose() }
            let request = ClientRequest(url: "https://127.0.0.1:\(server.port)/", timeoutSeconds: 10, connectTimeoutSeconds: 0.2)
            #expect(try await send(request) == .timedOut(.connect, neverSent: true))
        }

        @Test func waitingForAConnectionHasTheSameDeadline() async throws {
            let server = RawServer { connection, _ in connection.waitForClose() }
            try await withClient(HTTPClientConfiguration(connectionsPerOriginMax: 1, waitingRequestsMax: 1)) { (client) async throws in
                let first = Task { await client.failure(ClientRequest(url: server.url(), timeoutSeconds: 60)) }
                #expect(await eventually { server.accepted == 1 })
                let others = await withTaskGroup(of: HTTPClientError?.self) { group in
                    for _ in 0..<4 { group.addTask { await client.failure(ClientRequest(url: server.url(), timeoutSeconds: 0.4)) } }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let waited = others.count { $0 == .timedOut(.queue, neverSent: true) }
                let refused = others.count { $0 == .overloaded(neverSent: true) }
                #expect(waited >= 1 && refused >= 1 && waited + refused == 4)
                first.cancel()
                #expect(await first.value == .cancelled(neverSent: false))
            }
        }

        @Test func cancellationEndsTheTransfer() async throws {
            let (arrived, left) = (Counter(), Counter())
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                arrived.add()
                connection.waitForClose()
                left.add()
            }
            try await withClient { (client) async throws in
                let task = Task {
                    await client.failure(ClientRequest(url: server.url()))
                }
                #expect(await eventually { arrived.count == 1 })
                task.cancel()
                #expect(await task.value == .cancelled(neverSent: false))
                #expect(await eventually { left.count == 1 })
            }
        }

        @Test func aTaskThatIsCancelledAlreadySendsNothing() async throws {
            let server = RawServer { connection, _ in connection.waitForClose() }
            try await withClient { (client) async throws in
                let task = Task { () -> HTTPClientError? in
                    withUnsafeCurrentTask { $0?.cancel() }
                    return await client.failure(ClientRequest(url: server.url()))
                }
                #expect(await task.value == .cancelled(neverSent: true))
                #expect(server.accepted == 0)
            }
        }

        @Test func shutdownFailsWhatIsInFlightAndWhatComesAfter() async throws {
            let server = RawServer { connection, _ in connection.waitForClose() }
            let client = try HTTPClient(configuration: HTTPClientConfiguration(connectionsPerOriginMax: 2))
            await withTaskGroup(of: HTTPClientError?.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        await client.failure(ClientRequest(url: server.url()))
                    }
                }
                #expect(await eventually { server.accepted == 2 })
                await client.shutdown()
                var sent = 0
                for await error in group {
                    guard case .closed(let neverSent) = error else {
                        Issue.record("\(String(describing: error))")
                        continue
                    }
                    sent += neverSent ? 0 : 1
                }
                #expect(sent <= 2)
            }
            await client.shutdown()
            let late = await client.failure(ClientRequest(url: server.url()))
            #expect(late == .closed(neverSent: true))
        }
    }
}
