import Foundation
import HTTPClient
import HTTPMessage
import JSONCoding
import Model
import TestSupport
import Testing

/// A real Alertmanager, Debian's, as the source.
@Suite(.serialized) struct AlertmanagerTests {
    /// A running Alertmanager whose one receiver is the cluster's router.
    private final class Alertmanager: Sendable {
        let process: Process
        let url: String

        init(_ cluster: Cluster) throws {
            // Alertmanager cannot be asked which port it got, so one that is free now is named.
            let port = try freePort()
            url = "http://127.0.0.1:\(port)"
            try cluster.write(
                """
                route:
                  receiver: kubediag
                  group_by: ['...']
                  group_wait: 0s
                  group_interval: 1s
                  repeat_interval: 4h
                receivers:
                  - name: kubediag
                    webhook_configs:
                      - url: \(cluster.url("router"))/api/v1/receivers/alertmanager
                        send_resolved: true
                        http_config:
                          authorization:
                            type: Bearer
                            credentials_file: \(cluster.path("receiver.token"))
                """, to: "alertmanager.yml")
            process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/prometheus-alertmanager")
            process.arguments = [
                "--config.file=\(cluster.path("alertmanager.yml"))", "--storage.path=\(cluster.path("alertmanager"))",
                "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
            ]
            process.standardInput = FileHandle.nullDevice
            let log = open(cluster.path("alertmanager.log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            process.standardOutput = FileHandle(fileDescriptor: log)
            process.standardError = FileHandle(fileDescriptor: log)
            try process.run()
        }

        func post(_ cluster: Cluster, _ labels: [String: String]) async throws {
            let body = JSON.array([.object(["labels": .object(labels.mapValues(JSON.string))])]).encoded()
            let taken = try await eventually {
                var request = ClientRequest(method: .post, url: self.url + "/api/v2/alerts", timeoutSeconds: 5)
                request.headers.set("Content-Type", "application/json")
                request.body = body
                return (try? await cluster.http.send(request).status) == 200
            }
            #expect(taken, "Alertmanager does not take alerts: \(cluster.log("alertmanager").suffix(1000))")
        }

        func stop() {
            _ = Glibc.kill(process.processIdentifier, SIGKILL)
        }
    }

    @Test func alertSucceedsOnTheRightOfTwoAgents() async throws {
        let cluster = try await Cluster(agents: ["web-01", "web-02"])
        try await cluster.createScript("where", "printf '%s %s' \"$1\" \"$2\"", argKeys: ["node", "mountpoint"])
        try await cluster.create("OperationSet", "where", #"{"sequence":["where"]}"#)
        try await cluster.createTrigger("where", alert: "Where", set: "where")
        let source = try Alertmanager(cluster)
        try await source.post(cluster, ["alertname": "Where", "instance": "web-02:9100", "mountpoint": "/data"])
        #expect(try await eventually { try await cluster.diagnoses().count == 1 })
        let done = try await cluster.wait(try await cluster.diagnoses()[0].name)
        #expect(done.phase == "Succeeded")
        #expect(done["status"]?["nodeName"] == .string("web-02"))
        #expect(done.result("operation.where.output") == .string("web-02 /data"))
        source.stop()
        try await cluster.stop()
    }

    @Test func schedulerThatIsDownLosesNothing() async throws {
        let cluster = try await Cluster()
        try await cluster.createScript("look", "true")
        try await cluster.create("OperationSet", "look", #"{"sequence":["look"]}"#)
        try await cluster.createTrigger("look", alert: "Down", set: "look")
        let source = try Alertmanager(cluster)
        try await cluster.kill("scheduler")
        for number in 0..<5 { try await source.post(cluster, ["alertname": "Down", "instance": "web-01:9100", "number": String(number)]) }
        // It was told 503 at least once before the scheduler is there again.
        #expect(try await eventually { cluster.log("alertmanager").contains("503") }, "\(cluster.log("alertmanager").suffix(1000))")
        try await cluster.start("scheduler")
        #expect(
            try await eventually(seconds: 60) {
                let all = try await cluster.diagnoses()
                return all.count == 5 && all.allSatisfy { $0.phase == "Succeeded" }
            })
        source.stop()
        try await cluster.stop()
    }
}

/// A TCP port of the loopback address that nobody listens on now.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
        }
    }
    guard result else { throw Cluster.Failure(description: "no free port: errno \(errno)") }
    return Int(UInt16(bigEndian: address.sin_port))
}
