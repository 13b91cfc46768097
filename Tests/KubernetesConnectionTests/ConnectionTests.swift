import Certificates
import Foundation
import HTTPClient
import HTTPServer
import JSONCoding
import KubernetesConnection
import KubernetesTestServer
import Logging
import ResourceClient
import ServiceKit
import TestSupport
import Testing

@Suite struct ConnectionTests {
    private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func access(_ server: KubernetesTestServer) throws -> KubernetesAccess {
        KubernetesAccess(server: try #require(HTTPURL(server.url)), origin: "a test")
    }

    @Test func anExpiredTokenIsReadAgain() async throws {
        let folder = try TemporaryDirectory()
        defer { folder.remove() }
        let file = folder.path + "/token"
        try "first\n".write(toFile: file, atomically: true, encoding: .utf8)
        let server = KubernetesTestServer()
        try server.start()
        server.accept(tokens: ["first"])
        server.put(KubernetesObjects.node("n1"))
        var access = try access(server)
        access.login = .tokenFile(file)
        let connection = try KubernetesConnection(access)
        #expect(try await connection.client.list(KubernetesKinds.nodes).items.count == 1)
        server.accept(tokens: ["second"])
        let refused = await #expect(throws: ResourceClientError.self) { try await connection.client.list(KubernetesKinds.nodes) }
        #expect(refused?.code == 401)
        try "second\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try await connection.client.list(KubernetesKinds.nodes).items.count == 1)
        // A watch too is opened with the token that came after the one that is remembered.
        server.accept(tokens: ["third"])
        try "third\n".write(toFile: file, atomically: true, encoding: .utf8)
        var watch = try await connection.client.watch(KubernetesKinds.nodes).makeAsyncIterator()
        guard case .added(let node) = try await watch.next() else { throw Unexpected() }
        #expect(try KubernetesNode(node).name == "n1")
        #expect(server.requests.compactMap(\.token) == ["first", "first", "first", "first", "second", "second", "third"])
        await connection.shutdown()
        await server.stop()
    }

    struct Unexpected: Error {}

    @Test func anInformerOfPodsSurvivesWhatServersDo() async throws {
        let server = KubernetesTestServer()
        try server.start()
        for index in 0..<25 { server.put(KubernetesObjects.pod("web", "p\(index)", on: "n\(index % 3)")) }
        let connection = try KubernetesConnection(try access(server))
        let options = InformerOptions(
            pageObjectsMax: 10, backoff: RetryPolicy(attemptsMax: 1, backoffSeconds: 0.02, backoffSecondsMax: 0.1))
        let pods = Informer<KubernetesPod>(
            client: connection.client, resource: KubernetesKinds.pods, options: options, logger: silent, decode: KubernetesPod.init)
        let run = Task { await pods.run() }
        #expect(try await eventually { pods.isSynced && pods.snapshot.count == 25 })
        #expect(server.requests.filter { $0.query.contains("limit=10") }.count == 3)
        #expect(pods.object(namespace: "web", name: "p4")?.nodeName == "n1")

        let version = server.put(KubernetesObjects.pod("web", "p4", on: "n2"))
        #expect(try await eventually { pods.object(namespace: "web", name: "p4")?.nodeName == "n2" })
        server.bookmark()
        #expect(try await eventually { pods.status.resourceVersion == String(version + 1) })

        // What is deleted while the history is lost is noticed by a new list.
        #expect(try await eventually { server.openWatches("/api/v1/pods") == 1 })
        await server.stop()
        server.delete(KubernetesObjects.pod("web", "p5", on: nil))
        server.compact()
        try server.start()
        #expect(try await eventually { pods.object(namespace: "web", name: "p5") == nil })
        #expect(pods.snapshot.count == 24 && pods.status.listsCompleted == 2)
        run.cancel()
        await run.value
        await connection.shutdown()
        await server.stop()
    }

    @Test func aServerIsKnownByItsAuthorityAndName() async throws {
        let now = Int64(Date().timeIntervalSince1970)
        let validity = (now - 60)...(now + 3600)
        let authority = try CertificateIdentity.authority(commonName: "a", validity: validity, serial: [7])
        let leaf = try authority.leaf(
            commonName: "kubernetes", names: ["kubernetes.default"], addresses: [], validity: validity, serial: [8])
        let server = KubernetesTestServer(tls: TLS(certificateChainPEM: leaf.certificatePEM, privateKeyPEM: leaf.keyPEM))
        try server.start()
        func answer(_ name: String?, trusting authority: KubernetesAccess.Material?) async throws -> String {
            var access = try access(server)
            access.tlsServerName = name
            access.authorities = authority
            let connection = try KubernetesConnection(access)
            var answer = "answered"
            do {
                _ = try await connection.client.list(KubernetesKinds.nodes)
            } catch {
                answer = error.description
            }
            await connection.shutdown()
            return answer
        }
        let known = KubernetesAccess.Material.bytes(Array(authority.certificatePEM.utf8))
        #expect(try await answer("kubernetes.default", trusting: known) == "answered")
        #expect(try await answer(nil, trusting: known).hasPrefix("no connection"), "its certificate names no address")
        #expect(try await answer("kubernetes.other", trusting: known).hasPrefix("no connection"))
        #expect(try await answer("kubernetes.default", trusting: nil).hasPrefix("no connection"))
        await server.stop()
    }

    @Test func podsAndNodesAreReadForWhatIsKept() throws {
        let waiting = try KubernetesPod(KubernetesObjects.pod("a", "b", on: nil))
        #expect(waiting.nodeName == "" && waiting.phase == "Pending" && waiting.unscheduledMessage.contains("Insufficient cpu"))
        let node = try KubernetesNode(KubernetesObjects.node("n", labels: ["zone": "a"], isReady: false))
        #expect(node.labels == ["zone": "a"] && !node.isReady)
        #expect(throws: KubernetesObjectFault.self) { try KubernetesPod(["metadata": ["name": "b"]]) }
        #expect(throws: KubernetesObjectFault.self) { try KubernetesNode(["metadata": ["name": 1]]) }
        let odd = try KubernetesNode(["metadata": ["name": "n", "labels": 3], "status": ["conditions": "x"]])
        #expect(odd.labels.isEmpty && !odd.isReady)
    }
}
