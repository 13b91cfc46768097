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

    private static let journalctl = BuiltInDeclaration.Tool("journalctl", package: "systemd")

    /// From the kernel's own buffer, or from the journal where that can't be read and the journal can.
    ///
    /// - Throws: `privilegeMissing` or `unreadable` of the buffer where neither can be read.
    static func read(_ host: Host, sinceSeconds: Double) async throws(BuiltInFault) -> KernelLog {
        let uptime = host.clock.uptimeSeconds()
        do throws(BuiltInFault) {
            let messages = try await host.read { (files) throws(BuiltInFault) in try buffer(files) }
            return KernelLog(messages, uptimeSeconds: uptime, sinceSeconds: sinceSeconds)
        } catch .cancelled {
            throw .cancelled
        } catch {
            guard let messages = try await journal(host, sinceSeconds: sinceSeconds) else { throw error }
            return KernelLog(messages, uptimeSeconds: uptime, sinceSeconds: sinceSeconds)
        }
    }

    private init(_ all: [KernelMessage], uptimeSeconds: Double, sinceSeconds: Double) {
        let from = uptimeSeconds - sinceSeconds - Self.slackSeconds
        messages = all.filter { Self.seconds($0) >= from }
        reachSeconds = max(0, uptimeSeconds - Self.seconds(all.first))
        self.uptimeSeconds = uptimeSeconds
    }

    private static func buffer(_ files: HostFiles) throws(BuiltInFault) -> [KernelMessage] {
        do throws(HostFiles.Problem) {
            return try files.kernelRecords().compactMap { KernelMessage(kmsg: $0) }
        } catch .refused {
            throw .privilegeMissing(what: "reading \(HostFiles.kernelLogPath)", needs: "root, or kernel.dmesg_restrict=0")
        } catch {
            throw error.fault
        }
    }

    /// Nil where there is no journal to read.
    private static func journal(_ host: Host, sinceSeconds: Double) async throws(BuiltInFault) -> [KernelMessage]? {
        do throws(BuiltInFault) {
            let output = try await host.tools.run(
                journalctl,
                [
                    "--dmesg", "--output=json", "--output-fields=MESSAGE,PRIORITY,_SOURCE_MONOTONIC_TIMESTAMP", "--no-pager", "--quiet",
                    "--since=-\(Int(sinceSeconds.rounded(.up)))s",
                ])
            guard output.status == 0 else { return nil }
            return KernelMessage.journalLines(output.standardOutput)
        } catch .cancelled {
            throw .cancelled
        } catch {
            return nil
        }
    }

    /// How long ago a message was logged.
    func age(_ microseconds: UInt64?) -> Double { max(0, uptimeSeconds - Double(microseconds ?? 0) / 1_000_000) }

    private static func seconds(_ message: KernelMessage?) -> Double { Double(message?.sinceBootMicroseconds ?? 0) / 1_000_000 }
}
