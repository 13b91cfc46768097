import JSONCoding
import Model
import Testing
import TriggerRouterCore

@Suite struct DecisionLogCoreTests {
    private func routed(_ alert: Alert, _ triggers: [Trigger] = []) throws -> RoutingPlan.RoutedAlert {
        var plan = RoutingPlan(
            triggers: TriggerCatalog(triggers.enumerated().map { (CompiledTrigger($1), Int64($0 + 1)) }), at: noon)
        plan.add([alert])
        return try #require(plan.alerts.first)
    }

    private func record(_ alert: Alert, misses: [TriggerMiss]? = nil, at time: Timestamp = noon) throws -> DecisionRecord {
        DecisionRecord(try routed(alert), misses: misses, receiver: "alertmanager", peer: "p:1", traceID: "4b", at: time)
    }

    // MARK: Records

    /// The line that is written by hand is what `Codable` reads, and the alert comes back as it was.
    @Test(arguments: 0..<40 as Range<UInt64>) func aRecordReadsBack(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let alert = random.alert()
        let triggers = (0..<5).map { random.trigger("t\($0)") }
        let record = DecisionRecord(
            try routed(alert, triggers), misses: nil, receiver: "prometheus", peer: "p:1", traceID: nil, at: noon)
        let read = try #require(DecisionRecord(line: record.encoded), "seed \(seed)")
        #expect(read == record)
        #expect(read.alert == alert, "seed \(seed)")
        #expect(read.decision.fingerprint == Fingerprint(alert.labels).description)
        #expect(!record.encoded.contains(UInt8(ascii: "\n")))
    }

    @Test func whatIsTooLargeIsCut() throws {
        let huge = try record(makeAlert("Huge", ["big": String(repeating: "ä", count: 100_000)]))
        #expect(huge.encoded.count < 2 * DecisionRecord.alertBytesMax)
        #expect(huge.alert == nil)
        let misses = (0..<50).map { TriggerMiss(trigger: "t\($0)", message: "m") }
        #expect(try record(makeAlert("A"), misses: misses).decision.misses?.count == DecisionRecord.missesMax)
    }

    /// Whatever is cut is counted, in what reads back too.
    @Test func whatIsLeftOutIsCounted() throws {
        let triggers = (0..<40).map { makeTrigger("t\($0)", alertName: "^A$") }
        let misses = (0..<50).map { TriggerMiss(trigger: "m\($0)", message: "m") }
        func read(_ alert: Alert, _ misses: [TriggerMiss]?) throws -> Decision {
            let record = DecisionRecord(
                try routed(alert, triggers), misses: misses, missCount: 50, receiver: "prometheus", peer: "", traceID: nil, at: noon)
            return try #require(DecisionRecord(line: record.encoded)).decision
        }
        let all = try read(makeAlert("A"), misses)
        #expect(all.triggers.count == DecisionRecord.triggersMax && all.triggersOmitted == 40 - DecisionRecord.triggersMax)
        #expect(all.missesOmitted == 50 - DecisionRecord.missesMax && all.labelsOmitted == nil)
        #expect(try read(makeAlert("A"), nil).missesOmitted == 50)
        let labels = Dictionary(uniqueKeysWithValues: (0..<100).map { ("label\($0)", String(repeating: "x", count: 200)) })
        let large = try read(makeAlert("A", labels), nil)
        #expect(large.labels.count < 101 && large.labelsOmitted == 101 - large.labels.count)
        let none = try record(makeAlert("B"), misses: []).decision
        #expect(none.triggersOmitted == nil && none.missesOmitted == nil && none.labelsOmitted == nil)
    }

    // MARK: Filters

    private func filter(_ change: (inout DecisionFilter) -> Void) -> DecisionFilter {
        var filter = DecisionFilter()
        change(&filter)
        return filter
    }

    /// What the needles leave out, the filter would have left out too.
    @Test(arguments: 0..<30 as Range<UInt64>) func linesThatAreSkippedDoNotMatch(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var page: [UInt8] = []
        var all: [DecisionRecord] = []
        for number in 0..<60 {
            let triggers = (0..<4).map { random.trigger("t\($0)") }
            let record = DecisionRecord(
                try routed(random.alert(), triggers), misses: number % 2 == 0 ? nil : [], receiver: number % 3 == 0 ? "cron" : "prometheus",
                peer: "", traceID: nil, at: noon.adding(seconds: Double(number)))
            all.append(record)
            page += record.encoded + [UInt8(ascii: "\n")]
        }
        let sample = all[Int.random(in: 0..<all.count, using: &random)].decision
        let filters = [
            DecisionFilter(), filter { $0.source = "cron" }, filter { $0.alertname = sample.alertname },
            filter { $0.fingerprint = sample.fingerprint }, filter { $0.labels = sample.labels.map { ($0.key, $0.value) } },
            filter { $0.trigger = "t1" }, filter { $0.outcome = .noMatch },
            filter {
                $0.trigger = "t1"
                $0.outcome = .failed
            },
            filter { $0.reason = "Unavailable" },
            filter {
                $0.since = noon.adding(seconds: 10)
                $0.until = noon.adding(seconds: 20)
            },
        ]
        for filter in filters {
            let expected = all.enumerated().reversed().filter { filter.isMet(by: $0.element.decision) }.map(\.offset)
            #expect(filter.records(in: page, before: nil, limit: 100).map(\.line) == expected, "seed \(seed)")
            // In portions it is the same.
            var seen: [Int] = []
            var before: Int?
            while true {
                let part = filter.records(in: page, before: before, limit: 7).map(\.line)
                seen += part
                guard part.count == 7 else { break }
                before = part.last
            }
            #expect(seen == expected, "seed \(seed)")
        }
    }

    @Test func aFilterAsksForTheTriggersOwnOutcome() throws {
        var decision = try record(makeAlert("A")).decision
        decision.triggers = [TriggerOutcome(trigger: "a", outcome: .created), TriggerOutcome(trigger: "b", outcome: .suppressed)]
        decision.outcome = .created
        func asks(_ trigger: String?, _ outcome: AlertOutcome) -> Bool {
            filter {
                $0.trigger = trigger
                $0.outcome = outcome
            }.isMet(by: decision)
        }
        #expect(asks(nil, .suppressed) && asks("b", .suppressed) && asks("a", .created))
        #expect(!asks("a", .suppressed) && !asks("b", .created) && !asks("c", .created) && !asks(nil, .failed))
        // A reason is that of one trigger, of which the rest holds too.
        decision.triggers[1].reason = "Flapping"
        func gives(_ trigger: String?, _ outcome: AlertOutcome?, _ reason: String) -> Bool {
            filter {
                ($0.trigger, $0.outcome, $0.reason) = (trigger, outcome, reason)
            }.isMet(by: decision)
        }
        #expect(gives(nil, nil, "Flapping") && gives("b", nil, "Flapping") && gives(nil, .suppressed, "Flapping"))
        #expect(!gives(nil, nil, "RateLimited") && !gives("a", nil, "Flapping") && !gives(nil, .created, "Flapping"))
    }

    @Test func aBrokenLineIsNone() {
        let page = Array("{\"decision\":\nno JSON\n".utf8)
        #expect(DecisionFilter().records(in: page, before: nil, limit: 10).isEmpty)
    }

    // MARK: Pages

    @Test func theOldestPagesGoBeyondEachLimit() {
        var index = DecisionPageIndex(limits: .init(decisionsMax: 10, bytesMax: 1000, ageSecondsMax: 100))
        func page(_ count: Int, _ bytes: Int, at seconds: Double) -> DecisionPageIndex.Page {
            var page = DecisionPageIndex.Page(number: index.nextNumber, at: noon)
            for _ in 0..<count { page.add(bytes: bytes / count, at: noon.adding(seconds: seconds)) }
            return page
        }
        index.put(page(4, 40, at: 0))
        index.put(page(4, 40, at: 1))
        #expect(index.shrink(at: noon).isEmpty)
        index.put(page(4, 40, at: 2))
        #expect(index.shrink(at: noon).map(\.number) == [1])
        #expect(index.count == 8 && index.bytes == 80)
        // One that is larger than all that may be kept stays alone.
        index.put(page(2, 5000, at: 3))
        #expect(index.shrink(at: noon).map(\.number) == [2, 3])
        #expect(index.pages.map(\.number) == [4])
        #expect(index.shrink(at: noon.adding(seconds: 103)).isEmpty)
        #expect(index.shrink(at: noon.adding(seconds: 104)).map(\.number) == [4])
        #expect(index.count == 0 && index.bytes == 0)
    }

    @Test func thePageThatIsContinuedIsReplaced() {
        var index = DecisionPageIndex(limits: .init(decisionsMax: 10, bytesMax: 1000, ageSecondsMax: 100))
        var page = DecisionPageIndex.Page(number: 1, at: noon)
        page.add(bytes: 10, at: noon.adding(seconds: 5))
        index.put(page)
        page.add(bytes: 20, at: noon)
        index.put(page)
        #expect(index.pages.count == 1 && index.count == 2 && index.bytes == 30)
        #expect(index.pages[0].first == noon && index.pages[0].last == noon.adding(seconds: 5))
    }

    @Test(arguments: ["1.2", "0.0"]) func positionsReadBack(text: String) { #expect(DecisionPosition(text)?.description == text) }

    @Test(arguments: ["", "1", "1.", ".1", "1.2.3", "-1.2", "a.b"]) func forgedPositionsAreNone(text: String) {
        #expect(DecisionPosition(text) == nil)
    }

    // MARK: The budget

    @Test func aStormIsNotLookedIntoWholly() {
        var budget = MissBudget()
        func take(_ count: Int, at time: Timestamp) -> Bool { budget.take(count, at: time) }
        let all = Int(MissBudget.verdictsPerSecond)
        #expect(take(all, at: noon))
        #expect(!take(1, at: noon))
        #expect(!take(all, at: noon.adding(seconds: 0.5)))
        #expect(take(all / 2, at: noon.adding(seconds: 0.5)))
        // What is saved up is never more than a second's, and a clock that is put back takes nothing away.
        #expect(!take(all + 1, at: noon.adding(seconds: 100)))
        #expect(take(all, at: noon.adding(seconds: 50)))
    }
}
