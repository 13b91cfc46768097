import AgentOperations
import Certificates
import Foundation
import HTTPMessage
import HTTPServer
import Logging
import RecordedHost
import TestSupport
import Testing

@Suite struct ClockCheckTests {
    private static let tracking = "C0A80001,ntp.example,3,1790000000.1,OFFSET,0.00001,0.00002,1.5,0.01,0.02,0.001,0.002,64.2,STATE\n"

    private func chrony(_ offset: String, _ state: String) -> String {
        "#!/bin/sh\nprintf '%s' '\(Self.tracking.replacing("OFFSET", with: offset).replacing("STATE", with: state))'\n"
    }

    @Test func asksWhoKeepsTheClock() async throws {
        let machine = try RecordedHost()
        let host = try machine.host()
        await #expect(throws: BuiltInFault.self) { try await check("clockSync").run(on: host) }
        try machine.putTool("timedatectl", "#!/bin/sh\necho NTPSynchronized=no\n")
        #expect(try await check("clockSync").run(on: host).fault().summary == "The clock is not synchronized.")
        try machine.putTool("timedatectl", "#!/bin/sh\necho NTPSynchronized=yes\n")
        #expect(try await check("clockSync").run(on: host).sentence() == "The clock is synchronized.")
        try machine.putTool("chronyc", chrony("-0.2", "Normal"))
        let finding = try await check("clockSync").run(on: host).fault()
        #expect(finding.severity == .critical && finding.summary == "The clock is off by 200 ms.")
        #expect(
            try await check("clockSync").run(["offsetSeconds": "0.5"], on: host).sentence()
                == "The clock is synchronized, it is off by 200 ms.")
        try machine.putTool("chronyc", "#!/bin/sh\necho '506 Cannot talk to daemon'\nexit 1\n")
        #expect(try await check("clockSync").run(on: host).finding?.texts("told by") == ["systemd"])
    }

    @Test func readsTheKernelsClock() async throws {
        let outcome = try await check("clockSync").run(on: RecordedHost.machine())
        #expect(outcome.finding?.texts("told by").first?.contains("the kernel") == true)
    }
}

@Suite struct ResolverCheckTests {
    @Test func measuresAnswers() async throws {
        let server = try DNSServer { query, _ in query.answer(code: 0, records: 1) }
        defer { server.stop() }
        let parameters = ["resolver": server.address, "name": "kubernetes.default.svc.cluster.local"]
        let outcome = try await check("dns").run(parameters, on: RecordedHost().host())
        #expect(try outcome.sentence().hasPrefix("1 resolver asked for kubernetes.default.svc.cluster.local, all answered"))
        #expect(outcome.finding?.number("\(server.address) answers") == 3)
    }

    @Test func tellsErrorsAndMissingNames() async throws {
        let failing = try DNSServer { query, _ in query.answer(code: 2, records: 0) }
        defer { failing.stop() }
        let servfail = try await check("dns").run(["resolver": failing.address], on: RecordedHost().host()).fault()
        #expect(servfail.severity == .critical)
        #expect(servfail.summary == "\(failing.address) failed 3 of 3 questions for the root's servers: SERVFAIL.")
        let missing = try DNSServer { query, _ in query.answer(code: 3, records: 0) }
        defer { missing.stop() }
        let unknown = try await check("dns").run(["resolver": missing.address, "name": "a.example"], on: RecordedHost().host()).fault()
        #expect(unknown.summary.contains("NXDOMAIN") && unknown.severity == .warning)
        #expect(unknown.hint?.hasPrefix("The resolvers answer: the name is not known to them.") == true)
        #expect(try await check("dns").run(["resolver": missing.address], on: RecordedHost().host()).ruledOut != nil)
    }

    @Test func aNameMayHaveAddressesOfIPv6Alone() async throws {
        let server = try DNSServer { query, _ in query.answer(code: 0, records: query.bytes.dropLast(2).last == 28 ? 1 : 0) }
        defer { server.stop() }
        let host = try RecordedHost().host()
        #expect(try await check("dns").run(["resolver": server.address, "name": "six.example"], on: host).ruledOut != nil)
        let empty = try DNSServer { query, _ in query.answer(code: 0, records: 0) }
        defer { empty.stop() }
        let none = try await check("dns").run(["resolver": empty.address, "name": "none.example"], on: host).fault()
        #expect(none.severity == .warning && none.summary.hasSuffix("no address of that name."), "\(none)")
    }

    @Test func whatIsKnownIsToldInTime() async throws {
        let silent = try DNSServer { query, _ in [0xFF] + query.bytes }
        defer { silent.stop() }
        let builtIn = try check("dns")
        let context = try BuiltInContext(
            builtIn.declaration, values: ["resolver": silent.address, "attempts": "20", "answerSeconds": "0.3"], timeoutSeconds: 1.5)
        let finding = try await BuiltInExecution(builtIn, context, on: RecordedHost().host()).run().fault()
        #expect(finding.severity == .critical && (finding.number("\(silent.address) failures") ?? 99) < 5, "\(finding)")
    }

    @Test func tellsSlowAndSilentResolvers() async throws {
        let slow = try DNSServer { query, _ in
            usleep(120_000)
            return query.answer(code: 0, records: 1)
        }
        defer { slow.stop() }
        let finding = try await check("dns").run(["resolver": slow.address, "latencySeconds": "0.1"], on: RecordedHost().host()).fault()
        #expect(finding.severity == .warning && finding.summary.contains("took up to"))
        let silent = try DNSServer { query, _ in [0xFF] + query.bytes }
        defer { silent.stop() }
        let dead = try await check("dns").run(
            ["resolver": silent.address, "answerSeconds": "0.1", "attempts": "2"], on: RecordedHost().host()
        ).fault()
        #expect(dead.summary == "\(silent.address) failed 2 of 2 questions for the root's servers: no answer within 100 ms.")
        let closed = try Listener(backlog: 1)
        closed.close()
        let refused = try await check("dns").run(
            ["resolver": "127.0.0.1:\(closed.port)", "answerSeconds": "0.2"], on: RecordedHost().host()
        ).fault()
        #expect(refused.summary.contains("Connection refused"))
    }

    @Test func asksAgainByTCP() async throws {
        let server = try DNSServer { query, isTCP in query.answer(code: isTCP ? 0 : 0, records: isTCP ? 40 : 0, isCut: !isTCP) }
        defer { server.stop() }
        let outcome = try await check("dns").run(["resolver": server.address, "name": "big.example"], on: RecordedHost().host())
        #expect(outcome.ruledOut != nil, "\(outcome)")
    }

    @Test func takesResolversOfTheNode() async throws {
        let machine = try RecordedHost(["/etc/resolv.conf": "search x\n"])
        await #expect(throws: BuiltInFault.unavailable("/etc/resolv.conf names no resolver")) {
            try await check("dns").run(on: machine.host())
        }
        try machine.put("/etc/resolv.conf", "nameserver nonsense\nnameserver ::1%nothere\n")
        let finding = try await check("dns").run(["attempts": "1"], on: machine.host()).fault()
        #expect(finding.summary.contains("\"nonsense\" is no address"))
        try machine.remove("/etc/resolv.conf")
        await #expect(throws: BuiltInFault.self) { try await check("dns").run(on: machine.host()) }
        for (key, value) in [
            ("name", "a..b"), ("name", String(repeating: "a", count: 64) + ".b"), ("name", "a b"), ("resolver", "host.example"),
            ("resolver", "1.2.3.4:0"),
            ("resolver", "1.2.3.4:99999"), ("attempts", "0"), ("attempts", "99999999999999999999"), ("answerSeconds", "nan"),
        ] {
            await #expect(throws: BuiltInFault.self, "\(key)=\(value)") { try await check("dns").run([key: value], on: machine.host()) }
        }
    }
}

@Suite struct ReachabilityCheckTests {
    private func look(_ parameters: [String: String]) async throws -> BuiltInOutcome {
        try await check("reachability").run(parameters, on: RecordedHost.machine())
    }

    private func withServer(_ tls: TLS?, status: Int = 200, _ body: (UInt16) async throws -> Void) async throws {
        let router = try Router([
            Route(.get, "/health") { _ in Response.text("here", status: status) },
            Route(.get, "/long") { _ in Response.text(String(repeating: "x", count: 3 << 20), status: status) },
        ])
        let server = HTTPServer(
            configuration: ServerConfiguration(tls: tls), router: router, hooks: ServerHooks(),
            logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        let port = try server.start().port
        do {
            try await body(UInt16(port))
        } catch {
            await server.drain(graceSeconds: 1)
            throw error
        }
        await server.drain(graceSeconds: 1)
    }

    private func tls(_ validity: ClosedRange<Int64>) throws -> TLS {
        let now = Int64(Date().timeIntervalSince1970)
        let authority = try CertificateIdentity.authority(commonName: "a", validity: (now - 9_000_000)...(now + 9_000_000), serial: [7])
        let leaf = try authority.leaf(
            commonName: "localhost", names: ["localhost"], addresses: [[127, 0, 0, 1]],
            validity: (now + validity.lowerBound)...(now + validity.upperBound), serial: [8])
        return TLS(certificateChainPEM: leaf.certificatePEM, privateKeyPEM: leaf.keyPEM)
    }

    @Test func reachesServers() async throws {
        try await withServer(nil) { port in
            #expect(try await look(["target": "127.0.0.1:\(port)"]).sentence().hasPrefix("127.0.0.1:\(port) answers within"))
            #expect(try await look(["target": "http://localhost:\(port)/health?x=1"]).sentence().contains("with HTTP status 200"))
            #expect(try await look(["target": "http://localhost:\(port)/none"]).sentence().contains("with HTTP status 404"))
            let plain = try await look(["target": "tls://127.0.0.1:\(port)", "connectSeconds": "1"]).fault()
            #expect(plain.severity == .critical && plain.summary.contains("no TLS with 127.0.0.1:\(port)"))
            #expect(!plain.summary.contains("..") && plain.hint?.contains("speaks no TLS") == true, "\(plain)")
        }
        try await withServer(nil, status: 503) { port in
            let failing = try await look(["target": "http://127.0.0.1:\(port)/health"]).fault()
            #expect(try await look(["target": "http://127.0.0.1:\(port)/long"]).fault().summary.contains("answers with HTTP status 503"))
            #expect(failing.summary.contains("answers with HTTP status 503") && failing.hint?.contains("look at the server") == true)
        }
    }

    @Test func tellsWhyNot() async throws {
        let closed = try Listener(backlog: 1)
        closed.close()
        let refused = try await look(["target": "tcp://127.0.0.1:\(closed.port)"]).fault()
        #expect(
            refused.summary
                == "tcp://127.0.0.1:\(closed.port) can't be reached: no connection to 127.0.0.1:\(closed.port): Connection refused.")
        let nowhere = try await look(["target": "no-such-host.invalid:80"]).fault()
        #expect(nowhere.summary.contains("its name is not known") && nowhere.severity == .critical)
        let silent = try Listener(backlog: 5)
        defer { silent.close() }
        let hanging = try await look(["target": "https://127.0.0.1:\(silent.port)/", "connectSeconds": "0.3"]).fault()
        #expect(hanging.summary.contains("no TLS with"))
        let mute = try await look(["target": "http://127.0.0.1:\(silent.port)/", "connectSeconds": "0.3"]).fault()
        #expect(mute.summary.contains("no answer within 300 ms") && mute.hint?.contains("does not answer in time") == true)
    }

    @Test func looksAtCertificates() async throws {
        try await withServer(try tls(-7_200...(-3_600))) { port in
            let finding = try await look(["target": "tls://localhost:\(port)"]).fault()
            #expect(
                finding.severity == .critical && finding.summary.contains("shows a certificate that ended 60 min ago"), "\(finding.summary)"
            )
        }
        try await withServer(try tls(86_500...863_990)) { port in
            let early = try await look(["target": "tls://localhost:\(port)", "expiryDays": "1"]).fault()
            #expect(
                early.severity == .critical && early.summary.contains("a certificate that does not hold before 24 h from now"), "\(early)")
        }
        try await withServer(try tls(-60...863_990)) { port in
            let soon = try await look(["target": "https://127.0.0.1:\(port)/health"]).fault()
            #expect(soon.severity == .warning && soon.summary.contains("shows a certificate that ends in 10 d"), "\(soon.summary)")
            let enough = try await look(["target": "https://127.0.0.1:\(port)/health", "expiryDays": "5"])
            let sentence = try enough.sentence()
            #expect(sentence.contains("shakes hands within"))
            #expect(sentence.hasSuffix("is not trusted by the system, so that no request was sent."))
            #expect(enough.finding?.texts("trusted by the system").first?.hasPrefix("no: ") == true)
            let strict = try await look(["target": "tls://127.0.0.1:\(port)", "expiryDays": "5", "verify": "true"]).fault()
            #expect(strict.summary.contains("not trusted") && strict.hint?.contains("openssl s_client") == true)
            #expect(!strict.summary.hasSuffix("..") && !strict.summary.hasSuffix(" ."), "\(strict.summary)")
        }
    }

    @Test func refusesWhatIsNoTarget() async throws {
        for target in [
            "", "x", "host:", "host:0", "host:99999", "ftp://a:1", "unix:///run/x.sock", "http://user@host/", "tcp://a:1/path", "-o:1",
            "a b:1", "[::1",
            "[::1]x:1", "file:///etc/passwd", "http://\u{7F}/", "1:2:3:4",
        ] {
            await #expect(throws: BuiltInFault.self, "\(target)") { try await look(["target": target]) }
        }
    }
}
