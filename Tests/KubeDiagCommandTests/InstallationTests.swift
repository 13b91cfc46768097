import Certificates
import Foundation
import Testing

@testable import KubeDiagCommand

@Suite struct InstallationTests {
    @Test func tokensAreMadeOnceAndOthersLinesAreKept() throws {
        let folder = try Folder()
        let tokens = try TokenDirectory(path: folder.path + "/tokens", owner: nil)
        try tokens.make(agents: ["web-07"])
        let admin = try folder.text("tokens/admin")
        let accepted = try folder.text("tokens/accepted")
        #expect(accepted.contains("admin \(admin)"))
        #expect(accepted.split(separator: "\n").filter { $0.hasPrefix("agent:web-07 ") }.count == 1)
        #expect(try folder.text("tokens/receiver.header") == "Authorization: Bearer \(try folder.text("tokens/receiver"))")
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path + "/tokens") {
            let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/tokens/" + name)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }

        try (accepted + "receiver somebody-elses-0123456789 # theirs\n").write(
            toFile: folder.path + "/tokens/accepted", atomically: true, encoding: .utf8)
        try tokens.make(agents: ["web-08"])
        let after = try folder.text("tokens/accepted")
        #expect(try folder.text("tokens/admin") == admin)
        #expect(after.contains("receiver somebody-elses-0123456789 # theirs"))
        #expect(after.contains("agent:web-07 ") && after.contains("agent:web-08 "))
        try tokens.make(agents: [])
        #expect(try folder.text("tokens/accepted") == after)
    }

    @Test func aJoinFileSpeaksForItsNodeAloneAndReadsBack() throws {
        let folder = try Folder()
        let tokens = try TokenDirectory(path: folder.path, owner: nil)
        try tokens.make(agents: ["web-08"])
        let text = try tokens.joinFile(node: "web-08")
        let service = try folder.text("service").trimmingCharacters(in: .newlines)
        #expect(!text.contains(service))
        let join = try JoinFile(text, path: "f")
        #expect(join.node == "web-08")
        #expect(join.agentToken == (try folder.text("agent-web-08")).trimmingCharacters(in: .newlines))
        #expect(join.accepted.count == 1 && join.accepted[0].hasPrefix("service sha256:"))
    }

    @Test(arguments: ["", "agent:web-08 x", "service abc", "one two three", "agent: x\nservice y"])
    func aJoinFileThatIsNoneIsSaid(text: String) {
        #expect(throws: CommandFailure.self) { try JoinFile(text, path: "f") }
    }

    @Test func theUnitIsWhatSystemdReads() {
        let unit = AgentUnit(
            program: "/opt/my tools/agent-executor", node: "web-08", scheduler: "http://10.0.0.5:8082", listen: "0.0.0.0", port: 8090,
            advertise: "http://10.0.0.8:8090", configuration: "/etc/kubediag", data: "/var/lib/100%/$x")
        #expect(unit.text.contains("ExecStart=\"/opt/my tools/agent-executor\" --node-name web-08 --scheduler-url http://10.0.0.5:8082"))
        #expect(unit.text.contains("--advertise-address http://10.0.0.8:8090"))
        #expect(unit.text.contains("--data-dir \"/var/lib/100%%/$$x\""))
        #expect(unit.text.contains("--client-token-file /etc/kubediag/agent-token"))
    }

    @Test func thePortsHolderIsNamed() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
                #expect(bind(descriptor, plain, length) == 0)
                #expect(listen(descriptor, 1) == 0)
                #expect(getsockname(descriptor, plain, &length) == 0)
            }
        }
        let port = Int(UInt16(bigEndian: address.sin_port))
        #expect(!PortHolder.isFree(port))
        #expect(PortHolder.find(port: port)?.processID == getpid())
    }

    @Test func certificatesStayUntilTheyRunOut() throws {
        let folder = try Folder()
        let certificates = LoopbackCertificates(path: folder.path + "/tls")
        let now: Int64 = 1_800_000_000
        try certificates.make(names: ["web-07"], now: now)
        func leaf() throws -> String { try folder.text("tls/tls.pem") }
        let (first, authority) = (try leaf(), try folder.text("tls/ca.pem"))
        for key in ["tls/tls.key", "tls/ca.key"] {
            let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + key)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        for name in ["localhost", "127.0.0.1", "::1", "web-07"] { #expect(try CertificateText.isFor(name, pem: first), "\(name)") }
        #expect(try !CertificateText.isFor("web-08", pem: first))
        try certificates.make(names: ["web-07"], now: now + 86_400)
        #expect(try leaf() == first)
        // Another name of the machine, and a third of the leaf's life left: a new leaf, under the same authority.
        try certificates.make(names: ["web-08"], now: now + 86_400)
        let second = try leaf()
        #expect(second != first)
        try certificates.make(names: ["web-08"], now: now + 250 * 86_400)
        #expect(try leaf() != second)
        #expect(try folder.text("tls/ca.pem") == authority)
        #expect(try leaf().hasSuffix(authority))
        // What can't be read is made anew.
        try "nonsense".write(toFile: folder.path + "/tls/tls.pem", atomically: true, encoding: .utf8)
        try certificates.make(names: ["web-08"], now: now + 250 * 86_400)
        #expect(try CertificateText.isFor("web-08", pem: try leaf()))
    }

    @Test func aContextReadsBack() throws {
        let folder = try Folder()
        let context = ContextFile(
            server: "http://127.0.0.1:1", graphBuilder: nil, scheduler: "http://127.0.0.1:3", tokenFile: "/a \"b\"/\\t",
            receiverTokenFile: nil,
            dataDirectory: "/d")
        try FileSystem.write(context.text, to: folder.path + "/c.yaml", mode: 0o600)
        let read = try ContextFile(path: folder.path + "/c.yaml")
        #expect(read.server == context.server && read.tokenFile == context.tokenFile && read.dataDirectory == "/d")
        #expect(read.graphBuilder == nil && read.scheduler == context.scheduler)
    }
}

/// A folder of its own that goes with it.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "kubediag-command-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func text(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }
}
