import Foundation
import JSONCoding
import Model
import TestSupport
import Testing

/// A disk that is full, and one that has space again.
@Suite(.serialized) struct StorageTests {
    @Test func fullDiskIs503UntilSpaceReturns() async throws {
        let mount = try TemporaryDirectory()
        try ProcessTable.run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount.path)
        defer {
            try? ProcessTable.run("umount", "--lazy", mount.path)
            mount.remove()
        }
        let cluster = try await Cluster()
        // The scheduler's data directory is moved onto the small disk.
        try await cluster.kill("scheduler")
        try FileManager.default.moveItem(atPath: cluster.path("scheduler"), toPath: mount.path + "/data")
        try FileManager.default.createSymbolicLink(atPath: cluster.path("scheduler"), withDestinationPath: mount.path + "/data")
        try await cluster.start("scheduler")
        #expect(try await eventually { try await cluster.isReady(agent: "web-01") })
        try await cluster.createScript("look", "true")
        try await cluster.create("OperationSet", "look", #"{"sequence":["look"]}"#)
        try await cluster.createTrigger("full", alert: "Full", set: "look", #""rateLimit":{"perHour":100000}"#)
        func post(_ number: Int) async throws -> Int {
            try await cluster.post([TestAlert("Full", instance: "web-01", ["number": String(number)])]).status
        }
        #expect(try await post(0) == 200)
        try ProcessTable.run("sh", "-c", "dd if=/dev/zero of=\(mount.path)/filler bs=64k 2>/dev/null || true")
        var number = 0
        let isRefused = try await eventually {
            number += 1
            return try await post(number) == 503
        }
        #expect(isRefused, "the disk never became full")
        // Reading goes on meanwhile, and what was acknowledged is there: the first alert and those before the refused one.
        #expect(try await cluster.diagnoses().count >= number)
        try FileManager.default.removeItem(atPath: mount.path + "/filler")
        #expect(try await eventually { try await post(number) == 200 })
        var phases: [String] = []
        let areDone = try await eventually {
            phases = try await cluster.diagnoses().map { $0.phase ?? "none" }
            return phases.count == number + 1 && phases.allSatisfy { $0 == "Succeeded" }
        }
        #expect(areDone, "\(number + 1) diagnoses wanted: \(phases)")
        try await cluster.stop()
    }
}
