import Model
import Testing

@testable import SchedulerCore

@Suite("Who answers for a node")
struct AgentRegistryTests {
    let start = Timestamp(seconds: 1_000)

    func after(_ seconds: Double) -> Timestamp { start.adding(seconds: seconds) }

    func registration(_ journal: String, aliases: [String] = []) -> AgentRegistration {
        AgentRegistration(journalId: JournalID(journal), address: "http://10.0.0.7:8090", aliases: aliases, capacity: 2, version: "1")
    }

    func register(_ registry: inout AgentRegistry, _ node: String, journal: String, aliases: [String] = [], at now: Timestamp) throws
        -> AgentRegistry.Grant
    {
        let grant = try registry.judge(registration(journal, aliases: aliases), of: NodeName(node), at: now).get()
        registry.install(grant, at: now)
        return grant
    }

    @Test("restart, a second agent of the same name, and a take-over once the lease has run out")
    func names() throws {
        var registry = AgentRegistry()
        #expect(try register(&registry, "web-07", journal: "a", at: start).entry.epoch == 1)
        #expect(try register(&registry, "web-07", journal: "a", at: after(1)).entry.epoch == 2)
        let taken = registry.judge(registration("b"), of: NodeName("web-07"), at: after(10))
        guard case .failure(.nodeNameTaken(_, let left)) = taken else {
            Issue.record("a second journal took the name: \(taken)")
            return
        }
        #expect(left == 6)
        let takeOver = try register(&registry, "web-07", journal: "b", at: after(16.5))
        #expect(takeOver.arrival == .takeOver(from: JournalID("a")) && takeOver.entry.epoch == 3)
        #expect(registry.contact(NodeName("web-07"), journal: JournalID("a"), epoch: 2, at: after(17)) == .staleEpoch(current: 3))
        #expect(registry.contact(NodeName("web-07"), journal: JournalID("b"), epoch: 3, at: after(17)) == .live(returned: false))
        #expect(registry.contact(NodeName("web-08"), journal: JournalID("b"), epoch: 3, at: after(17)) == .unknownAgent)
    }

    @Test("a copied data directory: the later registration wins and the other one is stale")
    func copiedDirectory() throws {
        var registry = AgentRegistry()
        _ = try register(&registry, "web-07", journal: "a", at: start)
        _ = try register(&registry, "web-07", journal: "a", at: after(1))
        #expect(registry.contact(NodeName("web-07"), journal: JournalID("a"), epoch: 1, at: after(2)) == .staleEpoch(current: 2))
    }

    @Test("leases end, come back, and are granted afresh by a restart")
    func leases() throws {
        var registry = AgentRegistry()
        let grant = try register(&registry, "a", journal: "a", at: start)
        _ = try register(&registry, "b", journal: "b", at: after(5))
        #expect(registry.nextLapse == after(15))
        #expect(registry.lapse(at: after(14.9)) == [])
        #expect(registry.lapse(at: after(15)) == [NodeName("a")])
        #expect(registry.lapse(at: after(16)) == [])
        #expect(registry.contact(NodeName("a"), journal: JournalID("a"), epoch: 1, at: after(17)) == .live(returned: true))
        var restarted = AgentRegistry()
        restarted.restore(grant.entry, at: after(100))
        #expect(restarted.lapse(at: after(114)) == [])
        #expect(restarted.nextLapse == after(115))
    }

    @Test("a mass lapse is more than half of at least three, within one lease of each other")
    func massLapse() throws {
        var registry = AgentRegistry()
        for (index, name) in ["a", "b", "c", "d", "e"].enumerated() {
            _ = try register(&registry, name, journal: name, at: after(Double(index)))
        }
        _ = registry.lapse(at: after(16))
        #expect(!registry.isMassLapse(NodeName("a")))
        _ = registry.lapse(at: after(17))
        #expect(registry.isMassLapse(NodeName("a")))
        #expect(!registry.isMassLapse(NodeName("e")))
        _ = registry.contact(NodeName("b"), journal: JournalID("b"), epoch: 1, at: after(18))
        #expect(!registry.isMassLapse(NodeName("a")))
        var single = AgentRegistry()
        _ = try register(&single, "only", journal: "x", at: start)
        _ = single.lapse(at: after(15))
        #expect(!single.isMassLapse(NodeName("only")))
    }

    @Test(
        "a target is matched by name, then without its port, then by alias",
        arguments: [
            ("web-07", AgentMatch.one(NodeName("web-07"))), ("web-07:9100", .one(NodeName("web-07"))),
            ("WEB-07", .one(NodeName("web-07"))), ("10.0.0.7:9100", .one(NodeName("web-07"))),
            ("[fd00::7]:9100", .one(NodeName("web-07"))), ("fd00::7", .one(NodeName("web-07"))),
            ("shared", .ambiguous([NodeName("web-07"), NodeName("web-08")])), ("db", .one(NodeName("db"))),
            ("web-7:9100", .none(near: [NodeName("web-07"), NodeName("web-08")])), ("mainframe", .none(near: [])),
            ("web-08.example.org", .none(near: [NodeName("web-08")])), ("", .none(near: [])),
        ])
    func matching(target: String, expected: AgentMatch) throws {
        var registry = AgentRegistry()
        _ = try register(&registry, "web-07", journal: "a", aliases: ["10.0.0.7", "fd00::7", "shared", "db"], at: start)
        _ = try register(&registry, "web-08", journal: "b", aliases: ["shared"], at: start)
        _ = try register(&registry, "db", journal: "c", at: start)
        #expect(registry.match(target) == expected)
        registry.remove(NodeName("web-07"))
        #expect(registry.match("shared") == .one(NodeName("web-08")))
    }
}
