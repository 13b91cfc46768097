import AgentOperations
import Certificates
import Glibc
import HTTPClient
import NodeFacts

/// Whether a server can be reached from this node, and how long its certificate still holds.
enum Reachability {
    private static let targetRule = TextRule("HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT, or an http or https URL") {
        ReachabilityTarget($0) != nil
    }

    private static let target = Parameter.required("target", targetRule, "What to reach.")
    private static let connectSeconds = Parameter.seconds(
        "connectSeconds", 0.01...60, default: 5, "How long each step may take: connection, handshake, answer.")
    private static let latencySeconds = Parameter.seconds(
        "latencySeconds", 0.001...60, default: 1, "Time of a step, from which on the target is slow.")
    private static let expiryDays = Parameter.number(
        "expiryDays", 0...3650, default: 14, "Days that the certificate should still hold.")
    private static let verify = Parameter.boolean(
        "verify", default: false, "Whether the certificate has to be trusted by the system's authorities, and be for that name.")

    static let builtIn = BuiltIn(
        BuiltInDeclaration(
            "reachability", "Connects to a server by TCP, TLS or HTTP and looks at its certificate.",
            succeedsWhen: """
                the target can't be reached, takes latencySeconds for a step, answers with a status of 500 or more, or shows a certificate that does not hold \
                yet or ends within expiryDays
                """,
            parameters: [
                target.definition, connectSeconds.definition, latencySeconds.definition, expiryDays.definition, verify.definition,
            ], timeoutSeconds: 300)
    ) { context, host throws(BuiltInFault) in
        guard let target = ReachabilityTarget(context[target]) else { throw .parameter("target", "must be \(targetRule.words)") }
        let seconds = context[connectSeconds]
        // Of a name with many addresses not all may be tried: what is known is told in time.
        let end = ContinuousClock.now + .seconds(context.lookSeconds - 2 * seconds)
        var probe = try await host.call { () throws(BuiltInFault) in connect(target, seconds: seconds, until: end) }
        // A client would refuse a certificate that it does not trust, which the handshake has told already.
        if probe.failure == nil, target.scheme == .http || (target.scheme == .https && probe.peer?.distrust == nil) {
            await request(target, host.http, seconds: seconds, &probe)
        }
        let now = host.clock.now().microseconds / 1_000_000
        return judge(
            target, probe, Limits(latency: context[latencySeconds], expiryDays: context[expiryDays], mustBeTrusted: context[verify]),
            now: now)
    }

    private struct Limits {
        var latency: Double
        var expiryDays: Double
        var mustBeTrusted: Bool
    }

    private struct Probe: Sendable {
        var address = ""
        var steps: [(name: String, seconds: Double)] = []
        var peer: PeerCertificate?
        var status: Int?
        var failure: Failure?
    }

    /// How far it came.
    private enum Failure: Sendable {
        case unknownName
        case noConnection(String)
        case noHandshake(String)
        case noAnswer(String)
        case badAnswer(String)

        var text: String {
            switch self {
            case .unknownName: "its name is not known"
            case .noConnection(let text), .noHandshake(let text), .noAnswer(let text), .badAnswer(let text): withoutFullStop(text)
            }
        }
    }

    /// To be continued in a sentence.
    private static func withoutFullStop(_ text: String) -> String {
        String(decoding: text.utf8.reversed().drop { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ") }.reversed(), as: UTF8.self)
    }

    private static func timed<Value>(_ name: String, _ probe: inout Probe, _ body: () -> Value) -> Value {
        let begin = ContinuousClock.now
        let value = body()
        probe.steps.append((name, (ContinuousClock.now - begin) / .seconds(1)))
        return value
    }

    /// Each address is tried until one answers or the time is over.
    private static func connect(_ target: ReachabilityTarget, seconds: Double, until end: ContinuousClock.Instant) -> Probe {
        var probe = Probe()
        let addresses = timed("name look-up", &probe) { SocketAddress.lookUp(target.host, target.port) }
        if addresses.isEmpty { probe.failure = .unknownName }
        for address in addresses where probe.address.isEmpty || ContinuousClock.now < end {
            probe.address = address.text
            probe.failure = nil
            do throws(SocketConnection.Failure) {
                let begin = ContinuousClock.now
                let connection = try SocketConnection(address, type: SOCK_STREAM, timeoutSeconds: seconds)
                probe.steps.append(("connection", (ContinuousClock.now - begin) / .seconds(1)))
                if target.isEncrypted { handshake(connection, target, seconds: seconds, &probe) }
                return probe
            } catch {
                let why = error == .timedOut ? "no answer within \(Quantity.duration(seconds))" : error.text
                probe.failure = .noConnection("no connection to \(address.text): \(why)")
            }
        }
        return probe
    }

    private static func handshake(_ connection: SocketConnection, _ target: ReachabilityTarget, seconds: Double, _ probe: inout Probe) {
        connection.makeBlocking()
        let result = timed("handshake", &probe) {
            withExtendedLifetime(connection) {
                Result { () throws(CertificateError) in
                    try PeerCertificate.look(at: connection.descriptor, name: target.host, timeoutSeconds: seconds)
                }
            }
        }
        switch result {
        case .success(let peer): probe.peer = peer
        case .failure(let error): probe.failure = .noHandshake("no TLS with \(probe.address): \(error)")
        }
    }

    private static func request(_ target: ReachabilityTarget, _ client: HTTPClient, seconds: Double, _ probe: inout Probe) async {
        let begin = ContinuousClock.now
        do throws(HTTPClientError) {
            // Its head is all that was asked for.
            let answer = try await client.stream(
                ClientRequest(url: target.text, timeoutSeconds: seconds, connectTimeoutSeconds: seconds))
            probe.status = answer.status
            answer.cancel()
        } catch .timedOut {
            probe.failure = .noAnswer("no answer within \(Quantity.duration(seconds))")
        } catch {
            probe.failure = .badAnswer("no answer that is HTTP: \(error)")
        }
        probe.steps.append(("answer", (ContinuousClock.now - begin) / .seconds(1)))
    }

    private static func judge(_ target: ReachabilityTarget, _ probe: Probe, _ limits: Limits, now: Int64) -> BuiltInOutcome {
        var evidence = [Finding.Evidence("target", target.text)]
        if !probe.address.isEmpty { evidence.append(Finding.Evidence("address", probe.address)) }
        evidence += probe.steps.map { Finding.Evidence($0.name, $0.seconds, unit: "seconds") }
        if let status = probe.status { evidence.append(Finding.Evidence("HTTP status", status)) }
        let days = probe.peer.map { Double($0.chainNotAfter - now) / 86_400 }
        if let peer = probe.peer, let days {
            evidence.append(Finding.Evidence("certificate holds", days * 86_400, unit: "seconds"))
            evidence.append(Finding.Evidence("protocol", peer.protocolName))
            evidence.append(Finding.Evidence("trusted by the system", peer.distrust.map { "no: \(ProcessScan.printable($0))" } ?? "yes"))
        }
        var faults: [String] = []
        if let failure = probe.failure { faults.append("can't be reached: \(failure.text)") }
        if let days, days < limits.expiryDays {
            let span = Quantity.duration(abs(days) * 86_400)
            faults.append(days <= 0 ? "shows a certificate that ended \(span) ago" : "shows a certificate that ends in \(span)")
        }
        let ahead = probe.peer.map { Double($0.notBefore - now) } ?? 0
        if ahead > 0 { faults.append("shows a certificate that does not hold before \(Quantity.duration(ahead)) from now") }
        if limits.mustBeTrusted, let why = probe.peer?.distrust {
            faults.append("shows a certificate that is not trusted: \(withoutFullStop(ProcessScan.printable(why)))")
        }
        if let status = probe.status, status >= 500 { faults.append("answers with HTTP status \(status)") }
        for step in probe.steps where step.seconds >= limits.latency {
            faults.append("takes \(Quantity.duration(step.seconds)) for the \(step.name)")
        }
        let total = Quantity.duration(probe.steps.reduce(0) { $0 + $1.seconds })
        guard !faults.isEmpty else {
            let status = probe.status.map { " with HTTP status \($0)" } ?? ""
            let certificate = days.map { "; its certificate holds for \(Quantity.duration($0 * 86_400))" } ?? ""
            // Without trust nothing was asked, so that only the handshake is known to work.
            let wasAsked = target.scheme != .https || probe.peer?.distrust == nil
            let what = wasAsked ? "answers within \(total)\(status)" : "shakes hands within \(total)"
            let unasked = wasAsked ? "" : ", but is not trusted by the system, so that no request was sent"
            let summary = "\(target.text) \(what)\(certificate)\(unasked)."
            return .ruledOut(summary, finding: Finding(.info, summary, evidence: evidence))
        }
        let isCritical = probe.failure != nil || (days ?? 1) <= 0 || ahead > 0
        return .found(
            Finding(
                isCritical ? .critical : .warning, "\(target.text) \(faults.joined(separator: "; ")).", evidence: evidence,
                hint: hint(probe, days: days, limits)))
    }

    private static func hint(_ probe: Probe, days: Double?, _ limits: Limits) -> String {
        switch probe.failure {
        case .unknownName: return "dns tells whether the resolvers answer; look for a typing error in the name too."
        case .noConnection:
            return """
                Refused: nothing listens there. No answer: a firewall, a network policy or the route; compare with another node. ss -ltnp on the target tells \
                what listens.
                """
        case .noHandshake:
            return "It can be connected to, but speaks no TLS there, or none that both know: openssl s_client -connect shows what it says."
        case .noAnswer: return "It can be connected to, but does not answer in time: look at the server and its load."
        case .badAnswer:
            return "It can be connected to, but closes the connection or speaks another protocol there: curl -v shows what comes."
        case nil: break
        }
        if let days, days < limits.expiryDays { return days <= 0 ? "Renew the certificate now." : "Renew the certificate in time." }
        if limits.mustBeTrusted, probe.peer?.distrust != nil {
            return """
                openssl s_client -connect shows the chain: a missing intermediate, an authority that this node does not have, or another name.
                """
        }
        return "From here it can be reached: look at the server, its load and what it depends on."
    }
}

/// What is to be reached.
struct ReachabilityTarget: Sendable {
    enum Scheme: String, Sendable { case tcp, tls, http, https }

    let text: String
    let scheme: Scheme
    let host: String
    let port: UInt16

    var isEncrypted: Bool { scheme == .tls || scheme == .https }

    private static let bytesMax = 2048

    init?(_ text: String) {
        guard text.utf8.count <= Self.bytesMax, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var scheme = Scheme.tcp
        var rest = text[...]
        if let range = text.firstRange(of: "://") {
            guard let named = Scheme(rawValue: String(text[..<range.lowerBound])) else { return nil }
            scheme = named
            rest = text[range.upperBound...]
        }
        let authority = rest.prefix { !"/?#".contains($0) }
        let isURL = scheme == .http || scheme == .https
        guard isURL || authority.count == rest.count, !authority.contains("@"), !authority.hasPrefix("-") else { return nil }
        let standard: UInt16? = scheme == .http ? 80 : scheme == .https ? 443 : nil
        guard let (host, port) = SocketAddress.split(String(authority), defaultPort: standard) else { return nil }
        self.text = text
        self.scheme = scheme
        self.host = host
        self.port = port
    }
}
