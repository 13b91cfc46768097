import Foundation
import HTTPClient
import Testing

/// What a client costs and leaves behind. Each in a process of its own, as the counts are the whole process's.
@Suite("Resource use")
struct ResourceUseTests {
    @Test func pausedStreamsCostNoProcessorTime() async throws {
        await #expect(processExitsWith: .success) {
            let server = RawServer { connection, _ in
                _ = connection.readRequest()
                connection.write("HTTP/1.1 200 OK\r\n\r\n")
                let megabyte = [UInt8](repeating: 0x0A, count: 1 << 20)
                while connection.write(megabyte) {}
            }
            try await withClient(HTTPClientConfiguration(streamBufferBytesMax: 16 << 10)) { (client) async throws in
                let stream = try await client.stream(ClientRequest(url: server.url()))
                try await Task.sleep(for: .milliseconds(300))
                let before = clock()
                try await Task.sleep(for: .milliseconds(500))
                let spent = Double(clock() - before) / Double(CLOCKS_PER_SEC)
                precondition(spent < 0.1, "the loop spins while the reader is away: \(spent) s")
                stream.cancel()
            }
        }
    }

    @Test func noDescriptorAndNoThreadIsLeftBehind() async throws {
        await #expect(processExitsWith: .success) {
            let server = RawServer { connection, number in
                guard connection.readRequest() != nil else { return }
                if number % 3 == 0 { connection.respond("ok") } else { connection.waitForClose() }
            }
            let round = {
                let client = try HTTPClient()
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<6 {
                        group.addTask { _ = try? await client.send(ClientRequest(url: server.url(), timeoutSeconds: 0.02)) }
                        group.addTask { _ = try? await client.stream(ClientRequest(url: server.url(), timeoutSeconds: 0.02)) }
                    }
                }
                return client
            }
            try await round().shutdown()
            guard await eventually({ clientThreads() == 0 && server.open == 0 }) else { fatalError("the first round does not end") }
            let before = entries("/proc/self/fd").count
            for number in 0..<20 {
                let client = try await round()
                // Every other one is let go instead of being shut down.
                if number % 2 == 0 { await client.shutdown() }
            }
            guard await eventually({ clientThreads() == 0 }) else { fatalError("threads are left") }
            guard await eventually({ entries("/proc/self/fd").count <= before + 2 }) else { fatalError("descriptors are left") }
        }
    }
}

private func entries(_ path: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
}

private func clientThreads() -> Int {
    entries("/proc/self/task").count { task in
        (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "http-client\n"
    }
}
