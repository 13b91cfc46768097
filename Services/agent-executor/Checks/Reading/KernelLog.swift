import AgentOperations
import NodeFacts

/// The kernel's messages of the last while.
struct KernelLog: Sendable {
    static let sinceSeconds = Parameter.seconds(
        "sinceSeconds", 1...2_592_000, default: 3600, "How far back the kernel's log is looked at; what its buffer has lost is not seen.")

    /// Seconds since the machine's start that the log's clock may be behind the host's, which counts sleep.
    private static let slackSeconds = 5.0

    let messages: [KernelMessage]
    /// How old the oldest message of the buffer is: further back the log says nothing.
    let reachSeconds: Double
    let uptimeSeconds: Double

    /// - Throws: `privilegeMissing` or `unreadable` where the log can't be read.
    init(_ files: HostFiles, uptimeSeconds: Double, sinceSeconds: Double) throws(BuiltInFault) {
        let records: [[UInt8]]
        do throws(HostFiles.Problem) {
            records = try files.kernelRecords()
        } catch .refused {
            throw .privilegeMissing(what: "reading \(HostFiles.kernelLogPath)", needs: "root, or kernel.dmesg_restrict=0")
        } catch {
            throw error.fault
        }
        let all = records.compactMap { KernelMessage(kmsg: $0) }
        let oldest = Self.seconds(all.first)
        let from = uptimeSeconds - sinceSeconds - Self.slackSeconds
        messages = all.filter { Self.seconds($0) >= from }
        reachSeconds = max(0, uptimeSeconds - oldest)
        self.uptimeSeconds = uptimeSeconds
    }

    /// How long ago a message was logged.
    func age(_ microseconds: UInt64?) -> Double { max(0, uptimeSeconds - Double(microseconds ?? 0) / 1_000_000) }

    private static func seconds(_ message: KernelMessage?) -> Double { Double(message?.sinceBootMicroseconds ?? 0) / 1_000_000 }
}
