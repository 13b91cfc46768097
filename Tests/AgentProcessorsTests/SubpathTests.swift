import AgentOperations
import AgentProcessors
import JSONCoding
import RecordedHost
import Testing

@Suite("Remounts of subpaths") struct SubpathTests {
    private static let point = "/var/lib/kubelet/pods/u1/volume-subpaths/cfg/main/0"
    private static let message =
        "failed to create shim: error mounting \"\(point)\" to rootfs at \"/etc/app.conf\": open: no such file or directory: unknown"
    private static let stale =
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 21 8:1 /pods/u1/volumes/cfg/..2024//deleted \(point) rw - ext4 /dev/sda1 rw\n"
    private static let fresh = stale.replacing("//deleted", with: "")

    private func operation(_ name: String) throws -> BuiltIn { try Processors(kubernetes: nil, node: "n1").operation(name) }

    private static func pod(
        volume: String = "configMap", subPath: String = "app.conf", message: String = message, statuses: String = "containerStatuses"
    )
        -> String
    {
        let pod: JSON = [
            "metadata": ["namespace": "shop", "name": "web-0"],
            "spec": [
                "volumes": [["name": "cfg", .init(volume): ["name": "cfg"]]],
                "containers": [["name": "main", "volumeMounts": [["name": "cfg", "subPath": .string(subPath)]]]],
            ],
            "status": [.init(statuses): [["name": "main", "ready": false, "state": ["waiting": ["message": .string(message)]]]]],
        ]
        return String(decoding: pod.encoded(), as: UTF8.self)
    }

    @Test func aStaleMountIsFound() async throws {
        let machine = try RecordedHost(["/proc/1/mountinfo": Self.stale])
        let given = ["collector.kubernetes.pod.detail": Self.pod(), "collector.system.mountinfo": Self.stale]
        var initial = given
        initial["collector.kubernetes.pod.detail"] = Self.pod(statuses: "initContainerStatuses")
        for parameters in [given, given.filter { $0.key != "collector.system.mountinfo" }, initial] {
            let outcome = try await operation("subpathRemountDiagnoser").run(parameters, on: machine.host())
            #expect(outcome.ruledOut == nil)
            #expect(try outcome.text("diagnoser.kubernetes.subpath_remount.original_destination_path") == Self.point)
            #expect(try outcome.text("diagnoser.kubernetes.subpath_remount.original_source_path").hasSuffix("//deleted"))
            #expect(try outcome.text("diagnoser.kubernetes.subpath_remount.bug_link").hasSuffix("/68211"))
        }
    }

    @Test func anythingElseIsRuledOut() async throws {
        let machine = try RecordedHost(["/proc/1/mountinfo": Self.stale])
        for (pod, mounts) in [
            (Self.pod(volume: "emptyDir"), Self.stale), (Self.pod(subPath: ""), Self.stale), (Self.pod(message: "OOMKilled"), Self.stale),
            (Self.pod(message: Self.message.replacing(Self.point, with: "/etc/volume-subpaths/x")), Self.stale), (Self.pod(), Self.fresh),
            (Self.pod(), "30 21 cut\n"),
        ] {
            let outcome = try await operation("subpathRemountDiagnoser").run(
                ["collector.kubernetes.pod.detail": pod, "collector.system.mountinfo": mounts], on: machine.host())
            #expect(outcome.ruledOut != nil)
        }
        for bad in [[:], ["collector.kubernetes.pod.detail": "[]"], ["collector.kubernetes.pod.detail": "{"]] {
            await #expect { try await operation("subpathRemountDiagnoser").run(bad, on: machine.host()) } throws: {
                if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
            }
        }
    }

    private static let destination = "diagnoser.kubernetes.subpath_remount.original_destination_path"

    @Test func aStaleMountIsUnmountedAndNoOther() async throws {
        let machine = try RecordedHost(["/proc/1/mountinfo": Self.stale])
        try machine.putTool("umount", "#!/bin/sh\necho \"$*\" >> \"$(dirname \"$0\")/log\"\n")
        let host = try machine.host(hasMachineTools: true)
        let operation = try operation("subpathRemountRecover")
        let outcome = try await operation.run([Self.destination: Self.point], on: host)
        #expect(try outcome.text("recover.kubernetes.subpath_remount.result").contains(Self.point))
        let log = try host.files.text("/usr/local/recorded-tools/log")
        #expect(log == "--no-canonicalize -- \(Self.point)\n")

        let other = "/var/lib/kubelet/pods/u2/volume-subpaths/cfg/main/0"
        #expect(try await operation.run([Self.destination: other], on: host).ruledOut == "nothing is mounted at \(other)")
        try machine.put("/proc/1/mountinfo", Self.fresh)
        #expect(try await operation.run([Self.destination: Self.point], on: host).ruledOut?.contains("still has its source") == true)
        #expect(try host.files.text("/usr/local/recorded-tools/log") == log, "it was not called again")
        #expect(operation.declaration.effect == .mutate)
    }

    @Test(arguments: [
        "/", "/var", "-l", "/var/lib/kubelet/pods/u1/volume-subpaths/cfg/main", "/var/lib/kubelet/pods/u1/volume-subpaths/../main/0",
        "/var/lib/kubelet/pods/u1/volume-subpaths/cfg/main/0/x", "/volume-subpaths/cfg/main/0",
    ]) func noOtherPathIsTaken(path: String) async throws {
        await #expect { try await operation("subpathRemountRecover").run([Self.destination: path], on: RecordedHost().host()) } throws: {
            if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
        }
    }

    @Test func anUnmountThatFailsSaysWhy() async throws {
        let machine = try RecordedHost(["/proc/1/mountinfo": Self.stale])
        try machine.putTool("umount", "#!/bin/sh\necho 'umount: target is busy.' >&2\nexit 32\n")
        await #expect(throws: BuiltInFault.failed("umount \(Self.point): umount: target is busy.")) {
            try await operation("subpathRemountRecover").run([Self.destination: Self.point], on: machine.host(hasMachineTools: true))
        }
    }
}
