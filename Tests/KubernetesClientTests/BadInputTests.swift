import JSONCoding
import TestSupport
import Testing

extension KubernetesClients {
    /// What is wrong is refused with every cause, and changes nothing.
    @Suite struct BadInputTests {
        /// Runs a command that has to fail and compares the object before and after.
        private func refused(_ kubectl: Kubectl, _ line: String, _ more: String..., input: String = "") async throws -> String {
            let object = "op/\(kubectl.namespace)"
            let before = try await kubectl.resourceVersion(object)
            let result = try await run(kubectl, line, more, input)
            #expect(result.status == 1 && result.output.isEmpty, "\(result)")
            #expect(try await kubectl.resourceVersion(object) == before, "nothing was changed")
            return result.errors
        }

        private func run(_ kubectl: Kubectl, _ line: String, _ more: [String], _ input: String) async throws -> ProgramResult {
            switch more.count {
            case 0: try await kubectl(line, input: input)
            default: try await kubectl(line, more[0], input: input)
            }
        }

        private func prepared() async throws -> Kubectl {
            let kubectl = try Kubectl()
            _ = try await kubectl.output("apply -f -", input: Manifest.operation(kubectl.namespace))
            return kubectl
        }

        private func bogus(_ name: String) -> String {
            Manifest.operation(name).replacing("  effect: Read\n", with: "  effect: Read\n  bogus: 1\n  worse: {a: 1}\n")
        }

        @Test func unknownFields() async throws {
            let kubectl = try await prepared()
            let errors = try await refused(kubectl, "apply -f -", input: bogus(kubectl.namespace))
            #expect(errors.contains("strict decoding error: unknown field \"spec.bogus\", unknown field \"spec.worse\""), "\(errors)")
            let created = try await refused(kubectl, "create -f -", input: bogus(kubectl.namespace + "-b"))
            #expect(created.hasPrefix("Error from server (BadRequest): error when creating \"STDIN\": "), "\(created)")
            #expect(created.contains("unknown field \"spec.bogus\""))
            let serverSide = try await refused(kubectl, "apply --server-side -f -", input: bogus(kubectl.namespace))
            #expect(serverSide.contains("spec.bogus") && serverSide.contains("spec.worse"), "\(serverSide)")
            // `patch` asks for a warning, and so do those who ask for nothing.
            let patch = try await kubectl("patch op \(kubectl.namespace) --type=merge -p", #"{"spec":{"bogus":1}}"#)
            #expect(patch.status == 0 && patch.errors == "Warning: unknown field \"spec.bogus\"\n", "\(patch)")
        }

        @Test func unknownFieldsByWish() async throws {
            let kubectl = try await prepared()
            let name = kubectl.namespace
            let warned = try await kubectl("apply --validate=warn -f -", input: bogus(name))
            #expect(warned.status == 0)
            #expect(warned.errors.contains("Warning: unknown field \"spec.bogus\"\n"), "\(warned)")
            #expect(warned.errors.contains("Warning: unknown field \"spec.worse\"\n"), "\(warned)")
            let ignored = try await kubectl("apply --validate=ignore -f -", input: bogus(name + "-b"))
            #expect(ignored == .printed("operation.diagnosis.kubediag.org/\(name)-b created\n"))
            #expect(try await kubectl.json("get op \(name)-b")[path: "spec", "bogus"] == nil)
        }

        @Test func everyFaultAtOnce() async throws {
            let kubectl = try await prepared()
            let errors = try await refused(
                kubectl, "patch op \(kubectl.namespace) --type=merge -p",
                #"{"spec":{"effect":"Nope","processor":{"timeoutSeconds":0,"scriptRunner":{"script":""}},"retry":{"maxAttempts":1000}}}"#)
            #expect(errors.hasPrefix("The Operation \"\(kubectl.namespace)\" is invalid: \n* "), "\(errors)")
            for field in ["spec.effect", "spec.processor.timeoutSeconds", "spec.processor.scriptRunner.script", "spec.retry.maxAttempts"] {
                #expect(errors.contains("* \(field): "), "\(field) in \(errors)")
            }
        }

        @Test func wrongTypes() async throws {
            let kubectl = try await prepared()
            let errors = try await refused(
                kubectl, "patch op \(kubectl.namespace) --type=merge -p", #"{"spec":{"effect":1,"processor":{"timeoutSeconds":"long"}}}"#)
            #expect(errors.contains("spec.effect") && errors.contains("spec.processor.timeoutSeconds"), "\(errors)")
            let list = try await refused(kubectl, "patch op \(kubectl.namespace) --type=merge -p", #"{"spec":[]}"#)
            #expect(list.contains("spec"), "\(list)")
        }

        @Test func twoVersionsOfTruth() async throws {
            let kubectl = try await prepared()
            let name = kubectl.namespace
            let before = try await kubectl.resourceVersion("op/\(name)")
            let path = "/apis/diagnosis.kubediag.org/v1/operations/\(name)"
            func operation(_ kind: String, _ name: String, _ more: String = "") -> String {
                #"{"apiVersion":"diagnosis.kubediag.org/v1","kind":"\#(kind)","metadata":{"name":"\#(name)"\#(more)},"#
                    + #""spec":{"processor":{"scriptRunner":{"script":"false"}}}}"#
            }
            for (body, words) in [
                (operation("Operation", "other"), ["other", name]), (operation("Trigger", name), ["Trigger", "Operation"]),
                (operation("Operation", name, #","uid":"1""#), ["UID"]),
            ] {
                let (code, status) = try await kubectl.send(.put, path, body)
                #expect((400..<500).contains(code) && status["kind"] == "Status", "\(body): \(code) \(status)")
                for word in words { #expect(status["message"]?.stringValue?.contains(word) == true, "\(word): \(status)") }
            }
            let diagnoses = "/apis/diagnosis.kubediag.org/v1/namespaces/one/diagnoses"
            let (code, status) = try await kubectl.send(
                .post, diagnoses,
                #"{"apiVersion":"diagnosis.kubediag.org/v1","kind":"Diagnosis","metadata":{"name":"d","namespace":"two"},"#
                    + #""spec":{"operationSet":"x","nodeName":"web-01"}}"#)
            #expect(code == 400 && status["message"]?.stringValue?.contains("namespace") == true, "\(status)")
            #expect(try await kubectl.resourceVersion("op/\(name)") == before)
        }

        @Test func immutableFields() async throws {
            let kubectl = try Kubectl()
            _ = try await kubectl.output("create -f -", input: Manifest.diagnosis("d", spec: "{operationSet: none, nodeName: web-01}"))
            let errors = try await kubectl("patch diag d --type=merge -p", #"{"spec":{"nodeName":"web-02"}}"#)
            #expect(errors.status == 1 && errors.errors.contains("spec"), "\(errors)")
            #expect(errors.errors.contains("immutable"), "\(errors)")
            #expect(try await kubectl.output("get diag d -o jsonpath={.spec.nodeName}") == "web-01")
            #expect(try await kubectl.output("get diag d -o jsonpath={.metadata.generation}") == "1")
            let renamed = try await kubectl("patch diag d --type=merge -p", #"{"metadata":{"name":"e"}}"#)
            #expect(renamed.status == 1 && renamed.errors.contains("the name of the object (e) does not match"), "\(renamed)")
            let uid = try await kubectl("patch diag d --type=merge -p", #"{"metadata":{"uid":"1"}}"#)
            #expect(uid.status == 1 && uid.errors.contains("UID in precondition: 1"), "\(uid)")
        }

        @Test func labelsThatAreTooLong() async throws {
            let kubectl = try await prepared()
            let patch = #"{"metadata":{"labels":{"a":"\#(String(repeating: "x", count: 64))","b c":"x","c":"-"}}}"#
            let errors = try await refused(kubectl, "patch op \(kubectl.namespace) --type=merge -p", patch)
            #expect(errors.components(separatedBy: "* metadata.labels").count - 1 == 3, "three causes: \(errors)")
        }

        @Test(arguments: ["a in (b", "=x", "a=b=c", "a b"]) func selectors(selector: String) async throws {
            let kubectl = try Kubectl()
            let encoded = selector.replacing(" ", with: "%20").replacing("=", with: "%3D")
            let result = try await kubectl("get --raw /apis/diagnosis.kubediag.org/v1/operations?labelSelector=\(encoded)")
            #expect(result.status == 1 && result.errors.hasPrefix("Error from server (BadRequest): "), "\(result)")
            #expect(result.errors.hasPrefix("Error from server (BadRequest): labelSelector: "), "\(result)")
        }

        @Test func continueTokens() async throws {
            let kubectl = try await prepared()
            let path = "/apis/diagnosis.kubediag.org/v1/operations"
            for token in ["forged", "eyJ2IjoxfQ", "AAAA%2BBBB"] {
                let result = try await kubectl("get --raw \(path)?limit=1&continue=\(token)")
                #expect(result.status == 1 && result.errors.hasPrefix("Error from server (BadRequest): "), "\(result)")
                #expect(result.errors.contains("continue"), "\(result)")
            }
        }

        @Test(arguments: [
            "limit=-1", "limit=x", "timeoutSeconds=x&watch=true", "resourceVersion=x&watch=true", "fieldSelector=a",
        ])
        func parameters(query: String) async throws {
            let result = try await Kubectl()("get --raw /apis/diagnosis.kubediag.org/v1/operations?\(query)")
            #expect(result.status == 1 && result.errors.hasPrefix("Error from server (BadRequest): "), "\(result)")
        }

        @Test func patchesThatBreak() async throws {
            let kubectl = try await prepared()
            let name = kubectl.namespace
            for patch in [
                #"[{"op":"remove","path":"/spec/nothing"}]"#, #"[{"op":"leap","path":"/spec"}]"#,
                #"[{"op":"add","path":"spec","value":1}]"#,
                #"[{"op":"remove","path":"/spec/processor"}]"#,
                #"[{"op":"test","path":"/spec/effect","value":"Nope"}]"#, #"[{"op":"move","from":"/spec","path":"/spec/processor"}]"#,
            ] {
                let errors = try await refused(kubectl, "patch op \(name) --type=json -p", patch)
                #expect(!errors.contains("InternalError") && !errors.isEmpty, "\(patch): \(errors)")
            }
        }

        @Test func bodiesThatAreNone() async throws {
            let kubectl = try await prepared()
            let path = "/apis/diagnosis.kubediag.org/v1/operations"
            let good =
                #"{"apiVersion":"diagnosis.kubediag.org/v1","kind":"Operation","metadata":{"name":"x"},"#
                + #""spec":{"processor":{"scriptRunner":{"script":"true"}}}}"#
            for (body, expected) in [
                ("", 400), ("{", 400), ("[]", 400), ("null", 400), (#"{"kind":"Operation"}"#, 400), ("\u{0}", 400),
                (good.replacing("/v1", with: "/v2"), 400), (good.replacing("\"x\"", with: "\"X y\""), 422),
                (good.replacing("\"x\"", with: "\"\(String(repeating: "x", count: 254))\""), 422),
            ] {
                let (code, status) = try await kubectl.send(.post, path, body)
                #expect(
                    code == expected && status["kind"] == "Status" && status["code"] == .integer(Int64(expected)), "\(body): \(status)"
                )
            }
            let (code, status) = try await kubectl.send(.post, path, good, type: "text/plain")
            #expect(code == 415 && status["reason"] == "UnsupportedMediaType")
            let version = try await kubectl(
                "create --validate=false -f -", input: Manifest.operation("x").replacing("kubediag.org/v1", with: "kubediag.org/v2"))
            #expect(version.status == 1 && version.errors.contains("no matches for kind \"Operation\" in version"), "\(version)")
        }

        @Test func tokens() async throws {
            let kubectl = try await prepared()
            let wrong = try await Kubectl(token: "wrong-token-of-nobody-0123456789")("get op")
            #expect(
                wrong.status == 1 && wrong.errors.contains("error: You must be logged in to the server (the token is not one"), "\(wrong)")
            let receiver = try await Kubectl(token: Cluster.receiver)("delete op \(kubectl.namespace)")
            #expect(receiver.status == 1 && receiver.errors.hasPrefix("Error from server (Forbidden): "), "\(receiver)")
            #expect(try await kubectl("get op \(kubectl.namespace) -o name").status == 0)
        }
    }
}
