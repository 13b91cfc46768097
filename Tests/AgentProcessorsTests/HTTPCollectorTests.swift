import AgentOperations
import AgentProcessors
import Certificates
import Foundation
import HTTPMessage
import HTTPServer
import JSONCoding
import RecordedHost
import TestSupport
import Testing

@Suite("Profiles of Go programs") struct GoProfilerTests {
    private static let prefix = "param.diagnoser.runtime.go_profiler."
    private static let profile: [UInt8] = [0x1F, 0x8B, 8, 0, 1, 2, 3]

    private func run(
        _ parameters: [String: String], evidence: TemporaryDirectory, on processors: Processors = Processors(kubernetes: nil, node: "n1"),
        seconds: Double = 40
    ) async throws -> BuiltInOutcome {
        let operation = try processors.operation("goProfiler")
        let path = evidence.path
        let folder = EvidenceFolderAccess(bytesMax: 1 << 20) { name in "\(path)/\(name)" }
        let values = Dictionary(uniqueKeysWithValues: parameters.map { (Self.prefix + $0, $1) })
        let context = try BuiltInContext(operation.declaration, values: values, timeoutSeconds: seconds, folder: folder)
        return try await operation.run(context, RecordedHost().host())
    }

    @Test func eachTypeHasItsPath() async throws {
        let server = try ProfileServer { _ in Response(status: 200, body: .bytes(Self.profile)) }
        for (type, url) in [
            ("Heap", "/debug/pprof/heap"), ("Goroutine", "/debug/pprof/goroutine"), ("Profile", "/debug/pprof/profile?seconds=30"),
        ] {
            let evidence = try TemporaryDirectory()
            let outcome = try await run(["type": type, "source": server.url + "/", "expiration_seconds": "7200"], evidence: evidence)
            let path = "\(evidence.path)/go.\(type).pprof"
            #expect(try outcome.text("diagnoser.runtime.go_profiler.result.endpoint").hasPrefix("\(path) (7 bytes)"))
            #expect(FileManager.default.contents(atPath: path) == Data(Self.profile))
            #expect(outcome.files.map(\.name) == ["go.\(type).pprof"])
            #expect(server.requests.last?.url == url)
            evidence.remove()
        }
        await server.stop()
    }

    @Test func whatIsNoProfileFails() async throws {
        let evidence = try TemporaryDirectory()
        defer { evidence.remove() }
        let server = try ProfileServer { request in
            switch request.path {
            case "/page/debug/pprof/heap": .text("<html>")
            case "/huge/debug/pprof/heap": Response(status: 200, body: .bytes(Self.profile + [UInt8](repeating: 0, count: 2 << 20)))
            default: .text("404 page not found\n", status: 404)
            }
        }
        for (source, message) in [
            ("", "answered 404: 404 page not found"), ("/page", "answered no profile: <html>"), ("/huge", "larger than"),
        ] {
            await #expect { try await run(["type": "Heap", "source": server.url + source], evidence: evidence) } throws: {
                if case .failed(let text) = $0 as? BuiltInFault { text.contains(message) } else { false }
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: evidence.path).isEmpty)
        await server.stop()
        await #expect { try await run(["type": "Heap", "source": server.url], evidence: evidence) } throws: {
            if case .unavailable = $0 as? BuiltInFault { true } else { false }
        }
        for bad in [
            ["type": "heap", "source": "http://a"], ["type": "Heap"], ["type": "Heap", "source": "file:///etc/passwd"],
            ["type": "Heap", "source": "http://a/?x"], ["type": "Heap", "source": "https://a"],
            ["type": "Profile", "source": "http://a", "seconds": "100"], ["type": "Profile", "source": "http://a", "seconds": "-1"],
        ] {
            await #expect { try await run(bad, evidence: evidence) } throws: {
                if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
            }
        }
    }

    @Test func httpsIsTrustedByItsSecret() async throws {
        let evidence = try TemporaryDirectory()
        defer { evidence.remove() }
        let now = Int64(Date().timeIntervalSince1970)
        let validity = (now - 60)...(now + 3600)
        let authority = try CertificateIdentity.authority(commonName: "a", validity: validity, serial: [7])
        let leaf = try authority.leaf(commonName: "x", names: [], addresses: [[127, 0, 0, 1]], validity: validity, serial: [8])
        let server = try ProfileServer(tls: TLS(certificateChainPEM: leaf.certificatePEM, privateKeyPEM: leaf.keyPEM)) { _ in
            Response(status: 200, body: .bytes(Self.profile))
        }
        try await ClusterFixture.with { fixture in
            func secret(_ name: String, _ data: [String: String]) -> JSON {
                [
                    "apiVersion": "v1", "kind": "Secret", "metadata": ["namespace": "ops", "name": .string(name)],
                    "data": .object(data.mapValues { .string(Data($0.utf8).base64EncodedString()) }),
                ]
            }
            fixture.server.put(secret("good", ["token": "t0", "ca.crt": authority.certificatePEM]))
            fixture.server.put(secret("half", ["token": "t0"]))
            let base = ["type": "Heap", "source": server.url, "tls.secret_reference.namespace": "ops"]
            func run(_ name: String) async throws -> BuiltInOutcome {
                let parameters = base.merging(["tls.secret_reference.name": name]) { $1 }
                return try await self.run(parameters, evidence: evidence, on: fixture.processors)
            }
            _ = try await run("good")
            #expect(server.requests.last?.authorization == "Bearer t0")
            for (name, message) in [("half", "the secret ops/half lacks token or ca.crt"), ("none", "not found")] {
                await #expect { try await run(name) } throws: {
                    if case .failed(let text) = $0 as? BuiltInFault { text.contains(message) } else { false }
                }
            }
        }
        await server.stop()
    }
}

@Suite("Elasticsearch") struct ElasticsearchTests {
    private static let prefix = "param.collector.log.elasticsearch."

    private func run(_ parameters: [String: String], seconds: Double = 5) async throws -> BuiltInOutcome {
        let values = Dictionary(uniqueKeysWithValues: parameters.map { (Self.prefix + $0, $1) })
        return try await Processors(kubernetes: nil, node: "n1").operation("elasticsearchCollector").run(
            values, on: RecordedHost().host(), seconds: seconds)
    }

    @Test func linesAreSearched() async throws {
        let server = try ProfileServer { _ in .json(Array("{\"took\":1,\"hits\":{\"total\":{\"value\":2},\"hits\":[]}}".utf8)) }
        let outcome = try await run([
            // The first member of the cluster is away.
            "address": "http://127.0.0.1:1,\(server.url)/", "match": "out of \"memory\"", "username": "me", "password": "pass:word",
            "index": "logs-*,other.2026", "timeFrom": "now-1h", "timeTo": "now",
        ])
        #expect(try outcome.json("collector.log.elasticsearch.result.hits")[path: "hits", "total", "value"] == 2)
        let request = try #require(server.requests.first)
        #expect(request.url == "/logs-*,other.2026/_search?track_total_hits=true")
        #expect(request.authorization == "Basic " + Data("me:pass:word".utf8).base64EncodedString())
        #expect(
            try JSON(parsing: request.body) == [
                "query": [
                    "bool": [
                        "must": [
                            ["match": ["message": "out of \"memory\""]], ["range": ["@timestamp": ["gte": "now-1h", "lte": "now"]]],
                        ]
                    ]
                ]
            ])
        await server.stop()
    }

    @Test func refusalsAreTold() async throws {
        let server = try ProfileServer { request in
            switch request.path {
            case "/closed/_search": .json(Array("{\"error\":{\"type\":\"security_exception\",\"reason\":\"no\"}}".utf8), status: 403)
            case "/none/_search":
                .json(Array("{\"error\":{\"type\":\"index_not_found_exception\",\"reason\":\"no such index\"}}".utf8), status: 404)
            case "/page/_search": .text("<html>")
            default: .json(Array("{}".utf8))
            }
        }
        let base = ["address": server.url, "match": "x"]
        await #expect { try await run(base.merging(["index": "closed"]) { $1 }) } throws: {
            if case .privilegeMissing = $0 as? BuiltInFault { true } else { false }
        }
        for (index, message) in [("none", "404: index_not_found_exception: no such index"), ("page", "no JSON"), ("empty", "no hits")] {
            await #expect { try await run(base.merging(["index": index]) { $1 }) } throws: {
                if case .failed(let text) = $0 as? BuiltInFault { text.contains(message) } else { false }
            }
        }
        for bad in [
            [:], ["address": server.url], ["address": "ftp://x", "match": "x"], ["address": "http://me@x", "match": "x"],
            base.merging(["index": "../_cluster"]) { $1 }, base.merging(["index": "_all"]) { $1 }, base.merging(["match": "a\nb"]) { $1 },
        ] {
            await #expect { try await run(bad) } throws: { if case .parametersInvalid = $0 as? BuiltInFault { true } else { false } }
        }
        await server.stop()
        let nobody = try ReservedPort()
        await #expect { try await run(["address": "http://127.0.0.1:\(nobody.number)", "match": "x"]) } throws: {
            if case .unavailable = $0 as? BuiltInFault { true } else { false }
        }
    }
}

@Suite("Addresses that are given") struct GivenAddressTests {
    private static let hostile = [
        "http://h/a\r\nX:1", "http://h/a\nb", "http://h/?\u{301}", "http://h/#\u{301}", "http://u@\u{301}h/", "http://h/\0",
        "http://h/\u{7F}", "http:/\u{301}/h", "ftp://h/", "http://h/a b", "http://h/ \u{301}",
    ]

    private func faults(_ name: String, _ parameters: [String: String]) async throws -> [String] {
        let operation = try Processors(kubernetes: nil, node: "n1").operation(name)
        do {
            _ = try await operation.run(parameters, on: RecordedHost().host())
            return []
        } catch BuiltInFault.parametersInvalid(let faults) {
            return faults.map(\.path)
        }
    }

    @Test(arguments: hostile) func areJudgedInBytes(address: String) async throws {
        let search = "param.collector.log.elasticsearch."
        #expect(try await faults("elasticsearchCollector", [search + "address": address, search + "match": "x"]) == [search + "address"])
        let profiler = "param.diagnoser.runtime.go_profiler."
        #expect(try await faults("goProfiler", [profiler + "source": address, profiler + "type": "Heap"]) == [profiler + "source"])
    }
}
