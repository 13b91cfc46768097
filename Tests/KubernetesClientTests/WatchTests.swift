import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct WatchTests {
        @Test func tableRowsAsTheyCome() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            try await kubectl.makeDiagnosis("a")
            let watch = try kubectl.start("get diag -w")
            let header = "NAME   NODE     PHASE       STEP"
            #expect(try await eventually { watch.output.hasPrefix(header) && watch.output.contains("\na      web-01   Succeeded") })
            try await kubectl.makeDiagnosis("b")
            let saw = try await eventually {
                watch.output.contains(#/\nb      web-01   Pending /#)
                    && watch.output.contains(#/\nb      web-01   Succeeded   1\/1 t\d+ +[\d.]+s +\d+s +fine\n/#)
            }
            #expect(saw, "\(watch.output)\(watch.errors)")
            // A deletion is one more row of what was.
            let rows = watch.output.split(separator: "\n").count
            _ = try await kubectl.output("delete diag b")
            #expect(try await eventually { watch.output.split(separator: "\n").count > rows }, "\(watch.output)")
            try await watch.stop()
        }

        @Test func eventsOfOneObject() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let watch = try kubectl.start(
                "get op \(name) --watch-only --output-watch-events -o", "jsonpath={.type} {.object.metadata.name}{\"\\n\"}")
            // What is watched has not begun when the program has; a change repeated until it is seen does no harm.
            var count = 0
            let saw = try await eventually {
                count += 1
                try await kubectl("label op \(name) --overwrite n=\(count)")
                return watch.output.contains("MODIFIED \(name)\n")
            }
            #expect(saw, "\(watch.output)\(watch.errors)")
            _ = try await kubectl.output("delete op \(name)")
            #expect(try await eventually { watch.output.hasSuffix("DELETED \(name)\n") }, "\(watch.output)")
            try await watch.stop()
        }

        @Test func timeout() async throws {
            let kubectl = try Kubectl()
            let watch = try await kubectl("get diag -w --request-timeout=2s")
            #expect(watch.status == 0 || watch.errors.contains("Timeout") || watch.errors.contains("deadline"), "\(watch)")
        }

        @Test func waitsForConditions() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet(script: "sleep 1; echo fine")
            let manifest = Manifest.diagnosis("d", spec: "{operationSet: \(kubectl.namespace), nodeName: web-01}")
            _ = try await kubectl.output("create -f -", input: manifest)
            #expect(
                try await kubectl("wait --for=condition=Complete diag/d --timeout=20s")
                    == .printed("diagnosis.diagnosis.kubediag.org/d condition met\n"))
            #expect(
                try await kubectl("wait --for=jsonpath={.status.phase}=Succeeded diag/d --timeout=5s")
                    == .printed("diagnosis.diagnosis.kubediag.org/d condition met\n"))
            let never = try await kubectl("wait --for=condition=Failed diag/d --timeout=1s")
            #expect(never == .failed("error: timed out waiting for the condition on diagnoses/d\n"))
            let missing = try await kubectl("wait --for=condition=Complete diag/other --timeout=1s")
            #expect(missing == .failed("Error from server (NotFound): diagnoses.diagnosis.kubediag.org \"other\" not found\n"))
        }

        @Test func waitsForCreationAndDeletion() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let created = try kubectl.start("wait --for=create op/\(name) --timeout=20s")
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            #expect(try await created.end() == .printed("operation.diagnosis.kubediag.org/\(name) condition met\n"))
            let deleted = try kubectl.start("wait --for=delete op/\(name) --timeout=20s")
            _ = try await kubectl.output("delete op \(name)")
            let result = try await deleted.end()
            // It may have come too late to see the object, which is just as well.
            #expect(result.status == 0 || result.errors.contains("not found"), "\(result)")
            try await created.stop()
            try await deleted.stop()
        }

        @Test func waitsForAll() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            let manifests = ["a", "b", "c"].map { Manifest.diagnosis($0, spec: "{operationSet: \(kubectl.namespace), nodeName: web-02}") }
            _ = try await kubectl.output("create -f -", input: manifests.joined())
            let waited = try await kubectl.output("wait --for=condition=Complete diag --all --timeout=30s")
            #expect(waited.split(separator: "\n").count == 3)
        }
    }
}
