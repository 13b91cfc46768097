import AgentOperations
import AgentProcessors
import Foundation
import JSONCoding
import RecordedHost
import TestSupport
import Testing

@Suite("Disk processors") struct DiskTests {
    private func operation(_ name: String) throws -> BuiltIn { try Processors(kubernetes: nil, node: "n1").operation(name) }

    private func machine() throws -> RecordedHost {
        let machine = try RecordedHost()
        try machine.put("/var/lib/kubelet/pods/u1/big", bytes: [UInt8](repeating: 1, count: 3 << 20))
        for index in 0..<20 { try machine.put("/var/lib/kubelet/pods/u2/a/b/\(index)", bytes: [UInt8](repeating: 1, count: 8192)) }
        link(machine.root + "/var/lib/kubelet/pods/u1/big", machine.root + "/var/lib/kubelet/pods/u1/again")
        try machine.putLink("/var/lib/kubelet/pods/u2/loop", to: "/var/lib/kubelet/pods")
        try machine.putLink("/var/lib/kubelet/pods/u2/out", to: "/usr")
        try machine.putFIFO("/var/lib/kubelet/pods/u2/pipe")
        return machine
    }

    @Test func theBiggestEntriesWithTheirPods() async throws {
        let machine = try machine()
        let pods = "[{\"metadata\":{\"uid\":\"u1\",\"namespace\":\"shop\",\"name\":\"web-0\"}}]"
        let outcome = try await operation("diskUsageCollector").run(["collector.kubernetes.pod.list": pods], on: machine.host())
        let usage = try outcome.json("collector.system.disk_usage")
        let biggest = try #require(usage["biggest"]?.arrayValue)
        #expect(biggest.map { $0["path"] } == ["/var/lib/kubelet/pods/u1", "/var/lib/kubelet/pods/u2"])
        #expect(biggest[0]["metadata"] == ["namespace": "shop", "name": "web-0", "uid": "u1"])
        #expect(biggest[1]["metadata"] == nil)
        // As du counts it: a hard link once, links not followed.
        let du = try await run("/usr/bin/du", ["-s", "-B", "1", "\(machine.root)/var/lib/kubelet/pods"])
        #expect(usage["diskUsage"]?.integerValue == Int64(du.output.prefix { $0 != "\t" }))
        #expect(usage["isComplete"] == true && usage["refused"] == 0)
    }

    @Test func whatIsCalledByNoTextIsCounted() async throws {
        let machine = try RecordedHost()
        try machine.put("/data/plain", bytes: [UInt8](repeating: 1, count: 8192))
        let odd = [UInt8(ascii: "d"), 0xFF]
        let folder = Array("\(machine.root)/data/".utf8) + odd
        func path(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Int32) -> Int32 {
            (bytes + [0]).withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
        }
        try #require(path(folder) { mkdir($0, 0o755) } == 0)
        let file = path(folder + [UInt8(ascii: "/"), 0xFE]) { open($0, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600) }
        try #require(file >= 0)
        try FileHandle(fileDescriptor: file, closeOnDealloc: true).write(contentsOf: Data(repeating: 1, count: 2 << 20))
        try machine.makeFolder("/data/\u{301}mark")
        let outcome = try await operation("diskUsageCollector").run(["path": "/data"], on: machine.host())
        let usage = try outcome.json("collector.system.disk_usage")
        let du = try await run("/usr/bin/du", ["-s", "-B", "1", "\(machine.root)/data"])
        #expect(usage["diskUsage"]?.integerValue == Int64(du.output.prefix { $0 != "\t" }))
        #expect(usage["entries"] == 5 && usage["isComplete"] == true)
        #expect(usage["biggest"]?.arrayValue?.first?["path"] == "/data/d\u{FFFD}")
        let status = try await operation("fileStatusCollector").run(["filePathInformation": "/data"], on: machine.host())
        let known = try status.json("fileStatusInformation").arrayValue?.first
        #expect(known?["diskUsage"] == usage["diskUsage"] && known?["fileStatuses"]?.arrayValue?.count == 3)
    }

    @Test func boundsAreTold() async throws {
        let outcome = try await operation("diskUsageCollector").run(["entriesMax": "5", "top": "1"], on: machine().host())
        let usage = try outcome.json("collector.system.disk_usage")
        #expect(usage["isComplete"] == false)
        #expect(usage["biggest"]?.arrayValue?.count == 1)
        await #expect(throws: BuiltInFault.unreadable(path: "/none", reason: "it is not there")) {
            try await operation("diskUsageCollector").run(["path": "/none"], on: machine().host())
        }
        for bad in [["path": "/a/../b"], ["path": "a"], ["top": "-1"], ["entriesMax": "99999999999999999999"]] {
            await #expect { try await operation("diskUsageCollector").run(bad, on: machine().host()) } throws: {
                if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
            }
        }
    }

    @Test func filesFoldersAndLinks() async throws {
        let machine = try machine()
        chmod(machine.root + "/var/lib/kubelet/pods/u2/a", 0o1777)
        let paths = "[\"/var/lib/kubelet/pods/u1/big\",\"/var/lib/kubelet/pods/u2\",\"/none\"]"
        let outcome = try await operation("fileStatusCollector").run(["filePathInformation": paths], on: machine.host())
        let statuses = try #require(outcome.json("fileStatusInformation").arrayValue)
        #expect(statuses.count == 3)
        #expect(statuses[0]["size"] == .integer(3 << 20) && statuses[0]["links"] == 2 && statuses[0]["mode"] == "-rw-r--r--")
        #expect(statuses[1]["isComplete"] == true)
        let entries = try #require(statuses[1]["fileStatuses"]?.arrayValue)
        #expect(entries.first?["path"] == "/var/lib/kubelet/pods/u2/a" && entries.first?["mode"] == "drwxrwxrwt")
        #expect(entries.first { $0["path"]?.stringValue?.hasSuffix("/out") == true }?["target"] == "/usr")
        #expect(entries.contains { $0["mode"]?.stringValue?.hasPrefix("p") == true })
        #expect(statuses[2] == ["path": "/none", "error": "/none can't be read: it is not there"])
    }

    @Test func ofManyFilesTheBiggestAreKept() async throws {
        let machine = try RecordedHost()
        for file in 1...2500 { try machine.put("/data/\(file)", bytes: [UInt8](repeating: 1, count: file % 4 == 0 ? 5000 : 1)) }
        let outcome = try await operation("fileStatusCollector").run(["filePathInformation": "/data"], on: machine.host())
        let status = try #require(try outcome.json("fileStatusInformation").arrayValue?.first)
        let entries = try #require(status["fileStatuses"]?.arrayValue)
        #expect(entries.count == 1000 && status["isComplete"] == true)
        #expect(entries.prefix(625).allSatisfy { $0["size"] == 5000 } && entries.dropFirst(625).allSatisfy { $0["size"] == 1 })
        let du = try await run("/usr/bin/du", ["-s", "-B", "1", "\(machine.root)/data"])
        #expect(status["diskUsage"]?.integerValue == Int64(du.output.prefix { $0 != "\t" }))
    }

    @Test(arguments: ["none", "[]", "[1]", "[\"/a\",\"b\"]", "/a/../b", "[\"/a/../../b\"]", "{"]) func pathsThatAreNone(text: String)
        async throws
    {
        await #expect { try await operation("fileStatusCollector").run(["filePathInformation": text], on: machine().host()) } throws: {
            if case .parametersInvalid = $0 as? BuiltInFault { true } else { false }
        }
    }

    @Test func whereNothingIsKnownItFails() async throws {
        await #expect(throws: BuiltInFault.unreadable(path: "/none", reason: "it is not there")) {
            try await operation("fileStatusCollector").run(["filePathInformation": "/none"], on: machine().host())
        }
    }
}
