import Foundation
import RecordedHost
import Testing

/// A recorded machine whose counters grow for as long as it is there.
final class LivingMachine: Sendable {
    let host: RecordedHost
    private let growth: Task<Void, Never>
    /// Of four digits, as all that follow: what stands before a number is added to it.
    private static let first = 1000

    /// What an agent of the machine is started with: it finds the machine's files and programs, and no others.
    var arguments: [String] { ["--host-root", host.root, "--tool-folders", host.toolFolder] }

    /// - Parameters: as `RecordedFault` has them; `RECENTLY` in a file stands for a time that was a minute ago.
    init(files: [String: String], tools: [String: String] = [:]) throws {
        let recently = String(try Self.recently())
        let files = files.mapValues { $0.replacing("RECENTLY", with: recently) }
        let host = try RecordedHost(files.mapValues { Self.text($0, Self.first) })
        for (name, script) in tools { try host.putTool(name, script) }
        self.host = host
        let living = files.filter { $0.value.contains("#") }
        growth = Task {
            var number = Self.first
            while !Task.isCancelled {
                number += 1
                for (path, text) in living { Self.replace(path, Self.text(text, number), host) }
                // Nobody waits for this: it is the pace at which the machine counts, for checks that look twice.
                do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
            }
        }
    }

    deinit { stop() }

    func stop() { growth.cancel() }

    /// As the kernel's log counts: microseconds since the start of the machine that the tests run on, whose clocks the agents share.
    private static func recently() throws -> Int {
        let text = try String(contentsOfFile: "/proc/uptime", encoding: .utf8)
        let uptime = try #require(Double(text.prefix { $0 != " " }))
        return Int(max(1, uptime - 60) * 1_000_000)
    }

    private static func text(_ template: String, _ number: Int) -> String {
        template.replacing("#*4", with: String(4 * number)).replacing("#", with: String(number))
    }

    /// As a whole, so that nobody reads half of it.
    private static func replace(_ path: String, _ text: String, _ host: RecordedHost) {
        do {
            try host.put(path + ".new", text)
            rename(host.root + path + ".new", host.root + path)
        } catch {
            // The machine is gone with its test.
        }
    }
}
