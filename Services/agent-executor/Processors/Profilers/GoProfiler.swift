import AgentOperations
import HTTPClient
import HTTPMessage
import JSONCoding
import KubernetesConnection
import Model

import struct Foundation.Data

/// A profile of a Go program, from its `/debug/pprof` (net/http/pprof), as evidence.
struct GoProfiler: ProcessorOperation {
    let cluster: Cluster

    private static let prefix = "param.diagnoser.runtime.go_profiler."
    static let type = Parameter<String>.required(
        prefix + "type", TextRule("Profile, Heap or Goroutine") { ["Profile", "Heap", "Goroutine"].contains($0) },
        "Profile samples the CPU, Heap tells what holds memory, Goroutine all stacks")
    static let source = Parameter<String>.required(
        prefix + "source",
        TextRule("an http or https URL without a query, at most 1024 bytes") { text in
            text.utf8.count <= 1024 && PathText.isPlainURL(text)
        }, "the program's URL, up to /debug/pprof: http://127.0.0.1:6060")
    static let seconds = Parameter<Int>.integer(prefix + "seconds", 1...300, default: 30, "how long the CPU is sampled")
    static let secretNamespace = Parameter<String>.text(
        prefix + "tls.secret_reference.namespace", .word(), default: "default", "the namespace of the secret")
    static let secretName = Parameter<String?>.optional(
        prefix + "tls.secret_reference.name", .word(), "a secret with token and ca.crt, which https needs")
    static let expiration = Parameter<Int?>.optional(
        prefix + "expiration_seconds", -86_400...31_536_000, "taken and not used: no server is left open")
    static let endpointKey = "diagnoser.runtime.go_profiler.result.endpoint"

    static let declaration = BuiltInDeclaration(
        "goProfiler", "Takes a profile of a Go program from its /debug/pprof.",
        parameters: [
            type.definition, source.definition, seconds.definition, secretNamespace.definition, secretName.definition,
            expiration.definition,
        ],
        results: [.init(endpointKey, .string("Where the profile is, and how to look at it."))],
        privileges: ["get secrets, where one is named"], timeoutSeconds: 60)

    private static let profileBytesMax: Int64 = 64 << 20

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let type = context[Self.type]
        let name = "go.\(type).pprof"
        // There is a place for it, before the program is burdened.
        _ = try context.evidencePath(name)
        var source = context[Self.source]
        while source.utf8.last == UInt8(ascii: "/") { source = String(Substring(source.utf8.dropLast())) }
        var request = ClientRequest(
            url: "\(source)/debug/pprof/\(type.lowercased())", timeoutSeconds: min(context.timeoutSeconds, 20),
            responseBytesMax: Int(min(context.evidenceBytesMax, Self.profileBytesMax)))
        if type == "Profile" {
            let seconds = Double(context[Self.seconds])
            guard seconds + 2 <= context.timeoutSeconds else {
                throw .parameter(
                    Self.seconds.definition.key,
                    "must leave time to fetch the profile: the operation ends after \(Int(context.timeoutSeconds)) s")
            }
            request.url += "?seconds=\(Int(seconds))"
            request.timeoutSeconds = context.timeoutSeconds
        }
        let response = try await fetch(request, context, host)
        guard response.status == 200 else {
            throw .failed("\(request.url) answered \(response.status): \(Self.beginning(of: response.body))")
        }
        // A profile is a gzipped protocol buffer.
        guard response.body.starts(with: [0x1F, 0x8B]) else {
            throw .failed("\(request.url) answered no profile: \(Self.beginning(of: response.body))")
        }
        let path = try await context.writeEvidence(name, response.body, host)
        let text =
            "\(path) (\(response.body.count) bytes). Fetch it with `kubediag evidence` and look at it with `go tool pprof -http=: FILE`."
        return .done([.init(Self.endpointKey, .text(text))], files: [EvidenceFile(name, contentType: "application/octet-stream")])
    }

    private static func beginning(of body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(200), as: UTF8.self)
        return text.prefix { !$0.isNewline }.filter { $0.isASCII && !($0.asciiValue.map { $0 < 0x20 } ?? true) }
    }

    private func fetch(_ request: ClientRequest, _ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> ClientResponse {
        guard request.url.utf8.starts(with: "https://".utf8) else { return try await Self.send(request, host.http) }
        guard let name = context[Self.secretName] else {
            throw .parameter(Self.secretName.definition.key, "is needed where the source is https")
        }
        let namespace = context[Self.secretNamespace]
        let secret = try await cluster.get(KubernetesKinds.secrets, namespace: namespace, name: name, context)
        guard let token = Self.member("token", of: secret), let authority = Self.member("ca.crt", of: secret) else {
            throw .failed("the secret \(namespace)/\(name) lacks token or ca.crt")
        }
        var request = request
        request.headers.set("Authorization", "Bearer \(String(decoding: token, as: UTF8.self))")
        let file: MemoryFile
        let http: HTTPClient
        do throws(POSIXFailure) {
            file = try MemoryFile(authority)
            http = try HTTPClient(configuration: HTTPClientConfiguration(caFile: file.path))
        } catch {
            throw .failed("no connection can be made: \(error)")
        }
        let result: Result<ClientResponse, BuiltInFault>
        do throws(BuiltInFault) {
            result = .success(try await Self.send(request, http))
        } catch {
            result = .failure(error)
        }
        await http.shutdown()
        return try withExtendedLifetime(file) { () throws(BuiltInFault) in try result.get() }
    }

    private static func member(_ name: String, of secret: JSON) -> [UInt8]? {
        guard let text = secret[path: "data", name]?.stringValue, let data = Data(base64Encoded: text), !data.isEmpty else { return nil }
        return Array(data)
    }

    private static func send(_ request: ClientRequest, _ http: HTTPClient) async throws(BuiltInFault) -> ClientResponse {
        do throws(HTTPClientError) {
            return try await http.send(request)
        } catch {
            throw HTTPFault.fault(error, request.url)
        }
    }
}

/// What a failed request means for the operation that sent it.
enum HTTPFault {
    static func fault(_ error: HTTPClientError, _ url: String) -> BuiltInFault {
        switch error {
        case .cancelled: .cancelled
        case .timedOut: .timedOut("\(url) did not answer in time")
        case .connectFailed(let text, _): .unavailable("\(url) can't be reached: \(text)")
        default: .failed("\(url): \(error)")
        }
    }
}
