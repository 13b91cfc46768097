import Foundation
import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    @Suite struct ChangeTests {
        @Test func diff() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("apply -f -", input: Manifest.operation(name))
            let before = try await kubectl.resourceVersion("op/\(name)")
            #expect(try await kubectl("diff -f -", input: Manifest.operation(name)) == .printed(""))
            let changed = try await kubectl("diff -f -", input: Manifest.operation(name, timeout: 60))
            #expect(changed.status == 1 && changed.errors.isEmpty)
            #expect(changed.output.contains("\n-    timeoutSeconds: 30\n+    timeoutSeconds: 60\n"), "\(changed)")
            let new = try await kubectl("diff -f -", input: Manifest.operation("\(name)-new"))
            #expect(new.status == 1 && new.output.contains("\n+kind: Operation\n"), "\(new)")
            let serverSide = try await kubectl("diff --server-side --force-conflicts -f -", input: Manifest.operation(name, timeout: 60))
            #expect(serverSide.status == 1 && serverSide.output.contains("\n+    timeoutSeconds: 60\n"), "\(serverSide)")
            #expect(try await kubectl.resourceVersion("op/\(name)") == before)
            #expect(try await kubectl("get op \(name)-new --ignore-not-found") == .printed(""))
        }

        @Test func replace() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name, labels: "{a: x}"))
            let stale = try await kubectl.output("get op \(name) -o yaml")
            #expect(
                try await kubectl("replace -f -", input: Manifest.operation(name, timeout: 60))
                    == .printed("operation.diagnosis.kubediag.org/\(name) replaced\n"))
            #expect(try await kubectl.json("get op \(name)")[path: "metadata", "labels"]?.objectValue?.isEmpty ?? true)
            let before = try await kubectl.resourceVersion("op/\(name)")
            let refused = try await kubectl("replace -f -", input: stale)
            #expect(
                refused
                    == .failed(
                        "Error from server (Conflict): error when replacing \"STDIN\": Operation cannot be fulfilled on "
                            + "operations.diagnosis.kubediag.org \"\(name)\": the object has been modified; "
                            + "please apply your changes to the latest version and try again\n"))
            #expect(try await kubectl.resourceVersion("op/\(name)") == before)
            let missing = try await kubectl("replace -f -", input: Manifest.operation("\(name)-b"))
            #expect(
                missing
                    == .failed(
                        "Error from server (NotFound): error when replacing \"STDIN\": "
                            + "operations.diagnosis.kubediag.org \"\(name)-b\" not found\n"))
            let forced = try await kubectl("replace --force -f -", input: Manifest.operation(name))
            #expect(
                forced
                    == .printed(
                        "operation.diagnosis.kubediag.org \"\(name)\" deleted\noperation.diagnosis.kubediag.org/\(name) replaced\n"))
        }

        @Test func edit() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let edited = try await kubectl("edit op \(name)", editor: "sed -i s/timeoutSeconds:.30/timeoutSeconds:\\ 45/")
            #expect(edited == .printed("operation.diagnosis.kubediag.org/\(name) edited\n"))
            #expect(try await kubectl.output("get op \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == "45")
            let same = try await kubectl("edit op \(name)", editor: "true")
            #expect(same.errors == "Edit cancelled, no changes made.\n" && same.status == 0, "\(same)")
            // What is refused is shown again; an editor that leaves it as it is gives up.
            let bad = try await kubectl("edit op \(name)", editor: "sed -i s/timeoutSeconds:.45/timeoutSeconds:\\ 0/")
            #expect(bad.status == 1 && bad.errors.hasPrefix("error: operations.diagnosis.kubediag.org \"\(name)\" is invalid\n"), "\(bad)")
            let copy = try #require(bad.errors.firstMatch(of: #/stored to "(.+)"/#)?.1)
            #expect(try String(contentsOfFile: String(copy), encoding: .utf8).contains("# * spec.processor.timeoutSeconds: "))
            #expect(try await kubectl.output("get op \(name) -o jsonpath={.spec.processor.timeoutSeconds}") == "45")
        }

        @Test func patch() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let patched = ProgramResult.printed("operation.diagnosis.kubediag.org/\(name) patched\n")
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let merge = #"{"spec":{"effect":"Mutate","processor":{"timeoutSeconds":null}}}"#
            #expect(try await kubectl("patch op \(name) --type=merge -p", merge) == patched)
            var object = try await kubectl.json("get op \(name)")
            #expect(object[path: "spec", "effect"] == "Mutate" && object[path: "spec", "processor", "timeoutSeconds"] == nil)
            #expect(
                try await kubectl("patch op \(name) --type=merge -p", merge)
                    == .printed("operation.diagnosis.kubediag.org/\(name) patched (no change)\n"))
            let json =
                #"[{"op":"test","path":"/spec/effect","value":"Mutate"},{"op":"replace","path":"/spec/effect","value":"Read"},"#
                + #"{"op":"add","path":"/spec/processor/timeoutSeconds","value":5}]"#
            #expect(try await kubectl("patch op \(name) --type=json -p", json) == patched)
            object = try await kubectl.json("get op \(name)")
            #expect(object[path: "spec", "effect"] == "Read" && object[path: "spec", "processor", "timeoutSeconds"] == 5)
            let before = try await kubectl.resourceVersion("op/\(name)")
            let untrue = try await kubectl("patch op \(name) --type=json -p", json)
            #expect(untrue.status == 1 && untrue.errors.contains("test"), "\(untrue)")
            #expect(try await kubectl.resourceVersion("op/\(name)") == before)
        }

        @Test func strategicPatchIsRefusedClearly() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            let refused = try await kubectl("patch op \(name) -p", #"{"spec":{"effect":"Mutate"}}"#)
            #expect(refused.status == 1 && refused.output.isEmpty)
            #expect(refused.errors.contains("application/strategic-merge-patch+json is not supported"), "\(refused)")
            #expect(refused.errors.contains("application/merge-patch+json"), "it names what is: \(refused)")
        }

        @Test func status() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            _ = try await kubectl.output("create -f -", input: Manifest.trigger(name, alert: name))
            let change = #"{"spec":{"operationSet":"other"},"status":{"lastReason":"Tried"}}"#
            let patched = try await kubectl("patch trig \(name) --subresource=status --type=merge -p", change)
            #expect(patched == .printed("trigger.diagnosis.kubediag.org/\(name) patched\n"))
            var object = try await kubectl.json("get trig \(name) --subresource=status")
            #expect(object[path: "status", "lastReason"] == "Tried")
            #expect(object[path: "spec", "operationSet"] == "none" && object[path: "metadata", "generation"] == 1)
            _ = try await kubectl("patch trig \(name) --type=merge -p", #"{"status":{"lastReason":"Again"}}"#)
            object = try await kubectl.json("get trig \(name)")
            #expect(object[path: "status", "lastReason"] == "Tried", "a write to the object leaves the status alone")
        }

        @Test func statusThatAProgramOwns() async throws {
            let kubectl = try Kubectl()
            try await kubectl.makeSet()
            try await kubectl.makeDiagnosis("d")
            let before = try await kubectl.resourceVersion("diag/d")
            let refused = try await kubectl("patch diag d --subresource=status --type=merge -p", #"{"status":{"phase":"Failed"}}"#)
            #expect(refused.status == 1 && refused.errors.contains("MethodNotAllowed"), "\(refused)")
            #expect(try await kubectl.resourceVersion("diag/d") == before)
        }

        @Test func labelsAndAnnotations() async throws {
            let kubectl = try Kubectl()
            let name = kubectl.namespace
            let prefix = "operation.diagnosis.kubediag.org/\(name)"
            _ = try await kubectl.output("create -f -", input: Manifest.operation(name))
            #expect(try await kubectl("label op \(name) team=db") == .printed("\(prefix) labeled\n"))
            #expect(try await kubectl("label op \(name) team=db") == .printed("\(prefix) not labeled\n"))
            let taken = try await kubectl("label op \(name) team=web")
            #expect(taken == .failed("error: 'team' already has a value (db), and --overwrite is false\n"))
            #expect(try await kubectl("label op \(name) team=web --overwrite") == .printed("\(prefix) labeled\n"))
            #expect(try await kubectl("label op \(name) team-") == .printed("\(prefix) unlabeled\n"))
            #expect(try await kubectl("annotate op \(name) note=x") == .printed("\(prefix) annotated\n"))
            #expect(try await kubectl("annotate op \(name) --list") == .printed("note=x\n"))
            #expect(try await kubectl("annotate op \(name) note-") == .printed("\(prefix) annotated\n"))
            #expect(try await kubectl.output("get op \(name) -o jsonpath={.metadata.generation}") == "1")
            // kubectl asks for this resourceVersion, which is not the newest any more.
            let stale = try await kubectl("label op \(name) team=db --resource-version=1")
            #expect(stale.status == 1 && stale.errors.contains("the object has been modified"), "\(stale)")
        }
    }
}
