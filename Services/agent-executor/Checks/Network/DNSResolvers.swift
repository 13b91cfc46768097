import AgentOperations
import Glibc
import NodeFacts

/// How fast the node's resolvers answer, and whether they do.
enum DNSResolvers {
    private static let nameRule = TextRule("a domain name of at most 253 bytes") {
        DNSMessage.question($0, .a, id: 0) != nil && isPlain($0)
    }
    private static let resolverRule = TextRule("an address such as 10.96.0.10, 10.96.0.10:53 or [fe80::1]:53") {
        SocketAddress($0, defaultPort: port) != nil
    }

    private static let name = Parameter.optional(
        "name", nameRule, "The name to ask for, which then must exist; without it the servers of the root, which every resolver can find.")
    private static let resolver = Parameter.optional(
        "resolver", resolverRule, "The one resolver to ask; without it those of /etc/resolv.conf.")
    private static let attempts = Parameter.integer("attempts", 1...20, default: 3, "Questions to each resolver.")
    private static let answerSeconds = Parameter.seconds("answerSeconds", 0.01...10, default: 2, "How long an answer may take at most.")
    private static let latencySeconds = Parameter.seconds(
        "latencySeconds", 0.001...10, default: 0.5, "Time of the slowest answer, from which on a resolver is slow.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "dns", "Asks each of the node's resolvers and measures how long its answers take.",
            succeedsWhen: "a resolver does not answer, answers with an error, or takes latencySeconds",
            parameters: [name.definition, resolver.definition, attempts.definition, answerSeconds.definition, latencySeconds.definition],
            timeoutSeconds: 120)
    ) { context, host throws(BuiltInFault) in
        let question = Question(
            name: context[name] ?? ".", mustExist: context.isGiven(name), attempts: context[attempts], seconds: context[answerSeconds])
        let only = context[resolver]
        let servers = try await host.read { (files) throws(BuiltInFault) in if let only { [only] } else { try configured(files) } }
        var probes: [Probe] = []
        // So that what is known of some is told although others don't answer.
        let end = ContinuousClock.now + .seconds(context.lookSeconds)
        for (index, server) in servers.enumerated() {
            let share = max(.zero, ContinuousClock.now.duration(to: end)) / (servers.count - index)
            probes.append(try await host.call { () throws(BuiltInFault) in probe(server, question, until: .now + share) })
        }
        return judge(probes, question, latency: context[latencySeconds])
    }

    private static let port: UInt16 = 53
    private static let serversMax = 8

    private struct Question: Sendable {
        var name: String
        var mustExist: Bool
        var attempts: Int
        var seconds: Double
        var text: String { name == "." ? "the root's servers" : name }
    }

    private struct Probe: Sendable {
        var server: String
        /// Of the answers that came.
        var seconds: [Double] = []
        var failures: [Failure] = []
        var asked = 0
    }

    private enum Failure: Hashable, Sendable {
        /// There is no such name.
        case unknownName(String)
        case other(String)

        var text: String {
            switch self {
            case .unknownName(let text), .other(let text): text
            }
        }

        var isOfName: Bool {
            if case .unknownName = self { true } else { false }
        }
    }

    private static func isPlain(_ name: String) -> Bool { name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }

    private static func configured(_ files: HostFiles) throws(BuiltInFault) -> [String] {
        let path = "/etc/resolv.conf"
        let servers = ResolverConfiguration(try files.needed(path, bytesMax: 64 * 1024)).servers
        guard !servers.isEmpty else { throw .unavailable("\(path) names no resolver") }
        return Array(servers.prefix(serversMax))
    }

    private static func probe(_ server: String, _ question: Question, until end: ContinuousClock.Instant) -> Probe {
        var probe = Probe(server: server)
        guard let address = SocketAddress(server, defaultPort: port) else {
            probe.failures.append(.other("\"\(ProcessScan.printable(server))\" is no address"))
            return probe
        }
        while probe.asked < question.attempts {
            let begin = ContinuousClock.now
            if probe.asked > 0, begin + .seconds(question.seconds) > end { break }
            probe.asked += 1
            do throws(SocketConnection.Failure) {
                let answer = try ask(address, question)
                probe.seconds.append((ContinuousClock.now - begin) / .seconds(1))
                if let fault = fault(answer, question) { probe.failures.append(fault) }
            } catch {
                probe.failures.append(.other(error == .timedOut ? "no answer within \(Quantity.duration(question.seconds))" : error.text))
            }
        }
        return probe
    }

    private static func fault(_ answer: DNSMessage.Answer, _ question: Question) -> Failure? {
        switch answer.code {
        case 0: question.mustExist && answer.answers == 0 ? .unknownName("no address of that name") : nil
        case 3: question.mustExist ? .unknownName(DNSMessage.name(ofCode: answer.code)) : nil
        default: .other(DNSMessage.name(ofCode: answer.code))
        }
    }

    /// For the servers of the root, or for a name's addresses of IPv4, and of IPv6 where it has none of those.
    private static func ask(_ address: SocketAddress, _ question: Question) throws(SocketConnection.Failure) -> DNSMessage.Answer {
        guard question.name != "." else { return try ask(address, question, .ns) }
        let answer = try ask(address, question, .a)
        return answer.code == 0 && answer.answers == 0 ? try ask(address, question, .aaaa) : answer
    }

    /// By UDP, and by TCP where the answer doesn't fit.
    private static func ask(
        _ address: SocketAddress, _ question: Question, _ type: DNSMessage.RecordType
    ) throws(SocketConnection.Failure) -> DNSMessage.Answer {
        guard let bytes = DNSMessage.question(question.name, type, id: UInt16.random(in: 0...UInt16.max)) else { throw .system(EINVAL) }
        let connection = try SocketConnection(address, type: SOCK_DGRAM, timeoutSeconds: question.seconds)
        try connection.send(bytes)
        while true {
            // What is no answer to this question is not from the resolver, or late.
            guard let answer = DNSMessage.answer(try connection.receive(bytesMax: 4096), to: bytes) else { continue }
            return answer.isCut ? try askByTCP(address, bytes, seconds: connection.secondsLeft) : answer
        }
    }

    private static func askByTCP(
        _ address: SocketAddress, _ question: [UInt8], seconds: Double
    ) throws(SocketConnection.Failure) -> DNSMessage.Answer {
        let connection = try SocketConnection(address, type: SOCK_STREAM, timeoutSeconds: seconds)
        try connection.send([UInt8(question.count >> 8), UInt8(question.count & 0xFF)] + question)
        var received: [UInt8] = []
        while received.count < 2 || received.count < 2 + Int(received[0]) << 8 + Int(received[1]) {
            let part = try connection.receive(bytesMax: DNSMessage.bytesMax)
            guard !part.isEmpty else { throw .system(ECONNRESET) }
            received += part
        }
        guard let answer = DNSMessage.answer(Array(received[2...]), to: question) else { throw .system(EBADMSG) }
        return answer
    }

    private static func judge(_ probes: [Probe], _ question: Question, latency: Double) -> BuiltInOutcome {
        let evidence = probes.flatMap { probe -> [Finding.Evidence] in
            let server = ProcessScan.printable(probe.server)
            let times = probe.seconds.sorted()
            return [Finding.Evidence("\(server) answers", times.count), Finding.Evidence("\(server) failures", probe.failures.count)]
                + (times.isEmpty
                    ? []
                    : [
                        Finding.Evidence("\(server) fastest", times[0], unit: "seconds"),
                        Finding.Evidence("\(server) slowest", times[times.count - 1], unit: "seconds"),
                    ]) + Set(probe.failures.map(\.text)).sorted().prefix(3).map { Finding.Evidence("\(server) failed", $0) }
        }
        let failing = probes.filter { !$0.failures.isEmpty }
        let slow = probes.filter { $0.failures.isEmpty && ($0.seconds.max() ?? 0) >= latency }
        guard !failing.isEmpty || !slow.isEmpty else {
            let slowest = probes.flatMap(\.seconds).max() ?? 0
            let summary = """
                \(Quantity.count(probes.count, "resolver")) asked for \(question.text), all answered; the slowest answer took \(Quantity.duration(slowest)).
                """
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let parts =
            failing.map { probe in
                """
                \(ProcessScan.printable(probe.server)) failed \(probe.failures.count) of \(Quantity.count(probe.asked, "question")) for \(question.text): \
                \(probe.failures[0].text)
                """
            } + slow.map { "\(ProcessScan.printable($0.server)) took up to \(Quantity.duration($0.seconds.max() ?? 0)) to answer" }
        let isUnknown = !failing.isEmpty && failing.allSatisfy { $0.failures.allSatisfy(\.isOfName) }
        let isDead = !isUnknown && failing.count == probes.count && failing.allSatisfy { $0.failures.count >= $0.asked }
        return .found(
            Finding(
                isDead ? .critical : .warning, "\(parts.prefix(3).joined(separator: "; ")).", evidence: evidence,
                hint: isUnknown && slow.isEmpty
                    ? "The resolvers answer: the name is not known to them. Look for a typing error, and for the record or the Service that it should come from."
                    : """
                    Names are asked of the resolvers in their order: a dead first one delays every look-up. Look at the resolver (CoreDNS: its pods, logs and CPU \
                    limit), at conntrack, and at what lies between.
                    """))
    }
}
