import Foundation
import JSONCoding
import KubernetesTestServer
import Model
import TestSupport
import Testing

/// The built scheduler and a kube-apiserver of the tests' own.
@Suite(.serialized) struct KubernetesTests {
    @Test func aPodThatGetsItsNodeLateIsDiagnosedThoughTheSchedulerDied() async throws {
        let server = KubernetesTestServer()
        try server.start()
        server.accept(tokens: ["secret-of-this-test"])
        for name in ["web-01", "web-02"] { server.put(KubernetesObjects.node(name, labels: ["role": "web"])) }
        server.put(KubernetesObjects.pod("shop", "cart", on: nil))
        let folder = try TemporaryDirectory()
        try "secret-of-this-test\n".write(toFile: folder.path + "/token", atomically: true, encoding: .utf8)
        let kubeconfig = server.kubeconfig(user: "{tokenFile: token}")
        try kubeconfig.write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)

        let cluster = try await Cluster(agents: ["web-01", "web-02"], scheduler: ["--kubeconfig", folder.path + "/config"])
        try await cluster.createScript("look", "printf '%s in %s on %s' $1 $2 $3", argKeys: ["pod.name", "pod.namespace", "node"])
        try await cluster.create("OperationSet", "look", #"{"sequence":["look"]}"#)
        try await cluster.create("Diagnosis", "pod", #"{"operationSet":"look","podReference":{"namespace":"shop","name":"cart"}}"#)
        #expect(try await eventually { try await cluster.diagnosis("pod").reason == "PodNotScheduled" })
        try await cluster.kill("scheduler")
        server.put(KubernetesObjects.pod("shop", "cart", on: "web-02"))
        try await cluster.start("scheduler")
        let done = try await cluster.wait("pod")
        #expect(done.phase == "Succeeded", "\(done["status"] ?? .null)")
        #expect(done.result("operation.look.output") == .string("cart in shop on web-02"))

        try await cluster.create(
            "Diagnosis", "nodes", #"{"operationSet":"look","targetSelector":{"nodeSelector":{"matchLabels":{"role":"web"}}}}"#)
        let nodes = try await cluster.wait("nodes")
        #expect(nodes.phase == "Succeeded", "\(nodes["status"] ?? .null)")
        #expect(nodes["status"]?["aggregate"]?["succeeded"] == .integer(2))
        #expect(!cluster.log("scheduler").contains("secret-of-this-test"))
        try await cluster.stop()
        await server.stop()
        folder.remove()
    }

    @Test func aKubeconfigThatCanNotBeUsedEndsTheScheduler() async throws {
        let folder = try TemporaryDirectory()
        let kubeconfig = KubernetesTestServer().kubeconfig(user: "{token: secret-of-this-test, exec: {command: aws}}")
        try kubeconfig.write(toFile: folder.path + "/config", atomically: true, encoding: .utf8)
        let scheduler = Cluster.binaries.appendingPathComponent("scheduler").path
        let ended = try await run(scheduler, ["--data-dir", folder.path + "/data", "--port", "0", "--kubeconfig", folder.path + "/config"])
        #expect(ended.status == 78)
        #expect(ended.errors.contains("users[me].user.exec: runs a program, which is not supported"), "\(ended.errors)")
        #expect(!ended.errors.contains("secret-of-this-test") && !ended.output.contains("secret-of-this-test"))
        folder.remove()
    }
}
