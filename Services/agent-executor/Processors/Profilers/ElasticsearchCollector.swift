import AgentOperations
import HTTPClient
import HTTPMessage
import JSONCoding
import Model

import struct Foundation.Data

/// Log lines that Elasticsearch finds.
struct ElasticsearchCollector: ProcessorOperation {
    private static let prefix = "param.collector.log.elasticsearch."
    static let address = Parameter<String>.required(
        prefix + "address",
        TextRule("1 to 8 http or https URLs, parted by commas, without user, query or fragment") { text in
            let urls = urls(in: text)
            return urls.count <= 8 && urls.allSatisfy { PathText.isPlainURL($0) }
        }, "the cluster's URLs, tried in this order")
    static let match = Parameter<String>.required(prefix + "match", .line(bytesMax: 4096), "the words that the member message has to have")
    static let username = Parameter<String?>.optional(prefix + "username", .line(), "whom to log in as")
    static let password = Parameter<String?>.optional(prefix + "password", .line(), "the password")
    static let index = Parameter<String?>.optional(
        prefix + "index",
        TextRule("names of indices, parted by commas: lower case letters, digits, '.', '-', '_' and '*', not beginning with '-' or '_'") {
            text in
            text.utf8.count <= 1024
                && text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { name in
                    guard let first = name.utf8.first, !"-_+.".utf8.contains(first) else { return false }
                    return name.utf8.allSatisfy { byte in
                        switch byte {
                        case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x2A: true
                        default: false
                        }
                    }
                }
        }, "the indices to search; all otherwise")
    static let timeFrom = Parameter<String?>.optional(
        prefix + "timeFrom", .line(bytesMax: 64), "the earliest @timestamp, as Elasticsearch takes it")
    static let timeTo = Parameter<String?>.optional(prefix + "timeTo", .line(bytesMax: 64), "the latest @timestamp")
    static let hitsKey = "collector.log.elasticsearch.result.hits"

    static let declaration = BuiltInDeclaration(
        "elasticsearchCollector", "Searches log lines in Elasticsearch.",
        parameters: [
            address.definition, match.definition, username.definition, password.definition, index.definition, timeFrom.definition,
            timeTo.definition,
        ],
        results: [.init(hitsKey, .anything("The answer of the search, whose hits.hits has at most 10 of the lines."))])

    private static let answerBytesMax = 4 << 20

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let path = "/\(context[Self.index].map { "\($0)/" } ?? "")_search?track_total_hits=true"
        var request = ClientRequest(
            method: .post, url: "", headers: ["Content-Type": "application/json", "Accept": "application/json"],
            body: query(context).encoded(),
            responseBytesMax: Self.answerBytesMax, isIdempotent: true)
        if let user = context[Self.username] {
            let login = Data("\(user):\(context[Self.password] ?? "")".utf8).base64EncodedString()
            request.headers.set("Authorization", "Basic \(login)")
        }
        let addresses = Self.urls(in: context[Self.address])
        var last = BuiltInFault.unavailable("no address")
        for address in addresses {
            request.url = "\(address.utf8.last == UInt8(ascii: "/") ? Substring(address.utf8.dropLast()) : address)\(path)"
            request.timeoutSeconds = context.timeoutSeconds / Double(addresses.count)
            do throws(BuiltInFault) {
                return .done([.init(Self.hitsKey, .json(try await search(request, String(address), host)))])
            } catch {
                // Another member of the cluster is asked only where this one could not be.
                guard case .unavailable = error else { throw error }
                last = error
            }
        }
        throw last
    }

    private static func urls(in text: String) -> [Substring] {
        text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { Substring($0) }
    }

    private func search(_ request: ClientRequest, _ address: String, _ host: Host) async throws(BuiltInFault) -> JSON {
        let response: ClientResponse
        do throws(HTTPClientError) {
            response = try await host.http.send(request)
        } catch {
            throw HTTPFault.fault(error, address)
        }
        let body: JSON
        do throws(JSON.ParseError) {
            body = try JSON(parsing: response.body)
        } catch {
            throw .failed("\(address) answered \(response.status) and no JSON")
        }
        guard response.status == 200 else {
            let error = body["error"]
            let reason = [error?["type"], error?["reason"]].compactMap { $0?.stringValue }.joined(separator: ": ")
            throw response.status == 401 || response.status == 403
                ? .privilegeMissing(what: "searching \(address) (\(reason))", needs: "a user who may read the indices")
                : .failed("\(address) answered \(response.status): \(reason)")
        }
        guard body["hits"] != nil else { throw .failed("\(address) answered no hits") }
        return body
    }

    private func query(_ context: BuiltInContext) -> JSON {
        var must: [JSON] = [["match": ["message": .string(context[Self.match])]]]
        var range: [String: JSON] = [:]
        range["gte"] = context[Self.timeFrom].map { .string($0) }
        range["lte"] = context[Self.timeTo].map { .string($0) }
        if !range.isEmpty { must.append(["range": ["@timestamp": .object(range)]]) }
        return ["query": ["bool": ["must": .array(must)]]]
    }
}
