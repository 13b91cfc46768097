import TestSupport
import Testing

extension KubernetesClients {
    /// What a person sees.
    @Suite struct TableTests {
        @Test func operations() async throws {
            let kubectl = try Kubectl()
            _ = try await kubectl.output("create -f -", input: Manifest.operation(kubectl.namespace, timeout: 90))
            let rows = try await kubectl.table("get op \(kubectl.namespace)")
            #expect(rows[0] == ["NAME", "PROCESSOR", "EFFECT", "TIMEOUT", "AGE"])
            #expect(rows[1].dropLast() == [kubectl.namespace, "scriptRunner", "Read", "90s"])
            #expect(isDuration(rows[1][4]))
        }

        @Test func operationSets() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            let early = try await kubectl("create -f -", input: Manifest.operationSet(kubectl.namespace + "-bad", "missing"))
            #expect(early.status == 0 && early.errors == "Warning: spec.sequence[0]: \"missing\" does not exist.\n", "it may come later")
            _ = try await kubectl.output("wait --for=condition=Ready=False opset/\(kubectl.namespace)-bad --timeout=20s")
            let rows = try await kubectl.table("get opset \(kubectl.namespace) \(kubectl.namespace)-bad")
            #expect(rows[0] == ["NAME", "READY", "NODES", "PATHS", "REASON", "AGE"])
            #expect(rows[1].dropLast() == [kubectl.namespace, "true", "1", "1", ""])
            #expect(rows[2].prefix(2) == [kubectl.namespace + "-bad", "false"])
            #expect(rows[2][4] == "OperationNotFound")
        }

        @Test func triggers() async throws {
            let kubectl = try Kubectl()
            let alert = "Table" + kubectl.namespace
            try await kubectl.makeSet()
            _ = try await kubectl.output(
                "create -f -", input: Manifest.trigger(kubectl.namespace, set: kubectl.namespace, alert: alert))
            try await kubectl.system.cluster.post([TestAlert(alert, instance: "web-01")])
            _ = try await kubectl.output("wait --for=jsonpath={.status.firedCount}=1 trig/\(kubectl.namespace) --timeout=20s")
            let rows = try await kubectl.table("get trig \(kubectl.namespace)")
            #expect(rows[0] == ["NAME", "OPERATIONSET", "SOURCE", "FIRED", "SUPPRESSED", "LASTFIRED", "LASTREASON", "AGE"])
            #expect(rows[1].prefix(5) == [kubectl.namespace, kubectl.namespace, "PrometheusAlert", "1", "0"])
            #expect(isDuration(rows[1][5]) && isDuration(rows[1][7]))
        }

        @Test func diagnoses() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet(script: "echo /var is full")
            try await kubectl.makeDiagnosis("d")
            let rows = try await kubectl.table("get diag")
            #expect(rows[0] == ["NAME", "NODE", "PHASE", "STEP", "REASON", "TOOK", "AGE", "SUMMARY"])
            #expect(rows[1].prefix(3) == ["d", "web-01", "Succeeded"])
            #expect(rows[1][3] == "1/1 \(kubectl.namespace)")
            #expect(rows[1][7] == "/var is full")
            #expect(isDuration(rows[1][6]))
            let wide = try await kubectl.table("get diag -o wide")
            #expect(wide[0].suffix(3) == ["OPERATIONSET", "TRIGGER", "ALERT"])
            #expect(wide[1][8] == kubectl.namespace)
        }

        @Test func diagnosesOfATrigger() async throws {
            let kubectl = try Kubectl()
            let alert = "Wide" + kubectl.namespace
            try await kubectl.makeSet()
            let trigger = Manifest.trigger(
                kubectl.namespace, set: kubectl.namespace, alert: alert, more: "  namespace: \(kubectl.namespace)\n")
            _ = try await kubectl.output("create -f -", input: trigger)
            #expect(try await eventually { try await kubectl.system.cluster.post([TestAlert(alert, instance: "web-01")]).status == 200 })
            #expect(try await eventually { try await kubectl("get diag -o name").output.isEmpty == false })
            let rows = try await kubectl.table("get diag -o wide")
            #expect(rows[1].suffix(3) == [kubectl.namespace, kubectl.namespace, alert], "\(rows)")
        }

        @Test func agents() async throws {
            let rows = try await Kubectl().table("get agents")
            #expect(rows[0] == ["NAME", "READY", "ADDRESS", "VERSION", "RUNNING", "AGE"])
            #expect(rows[1][0] == "web-01" && rows[2][0] == "web-02")
            #expect(rows[1][1] == "True" && rows[1][2].hasPrefix("http://127.0.0.1:"))
        }

        @Test func commonEvents() async throws {
            let kubectl = try Kubectl()
            _ = try await kubectl.output(
                "create -f -",
                input: """
                    apiVersion: diagnosis.kubediag.org/v1
                    kind: CommonEvent
                    metadata: {name: full}
                    spec: {summary: disk is full, source: web-01, severity: critical, class: disk}
                    """)
            let rows = try await kubectl.table("get ce")
            #expect(rows[0] == ["NAME", "SEVERITY", "SOURCE", "CLASS", "COUNT", "AGE"])
            #expect(rows[1].prefix(4) == ["full", "critical", "web-01", "disk"])
        }

        @Test func severalKindsAtOnce() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            let text = try await kubectl.output("get op/\(kubectl.namespace) opset/\(kubectl.namespace)")
            let tables = text.split(separator: "\n\n").map { cells(ofTable: String($0)) }
            #expect(tables.count == 2)
            #expect(tables[0][1][0] == "operation.diagnosis.kubediag.org/\(kubectl.namespace)")
            #expect(tables[1][0] == ["NAME", "READY", "NODES", "PATHS", "REASON", "AGE"])
        }

        @Test func nothing() async throws {
            let kubectl = try Kubectl()
            let result = try await kubectl("get diag")
            #expect(result == ProgramResult(status: 0, output: "", errors: "No resources found in \(kubectl.namespace) namespace.\n"))
            let missing = try await kubectl("get diag d")
            #expect(missing == .failed("Error from server (NotFound): diagnoses.diagnosis.kubediag.org \"d\" not found\n"))
            #expect(try await kubectl("get diag d --ignore-not-found") == .printed(""))
        }
    }
}
