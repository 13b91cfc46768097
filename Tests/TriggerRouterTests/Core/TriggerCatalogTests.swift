import Model
import Testing

@testable import TriggerRouterCore

@Suite struct TriggerCatalogTests {
    private let alert = makeAlert("Disk", ["instance": "a"])

    private func names(_ catalog: TriggerCatalog) -> [String] {
        catalog.matches(for: alert).map(\.name)
    }

    @Test func changesCountAtOnce() {
        var catalog = TriggerCatalog([(CompiledTrigger(makeTrigger("a", alertName: "^Disk$")), 1)])
        catalog.put(CompiledTrigger(makeTrigger("b", alertName: "Disk")), revision: 2)
        #expect(names(catalog) == ["a", "b"])
        catalog.put(CompiledTrigger(makeTrigger("a", alertName: "^Other$")), revision: 3)
        #expect(names(catalog) == ["b"])
        catalog.remove("b", revision: 4)
        #expect(names(catalog) == [])
        #expect(catalog.overlayCount == 2)
        catalog.adopt(catalog.recompiled())
        #expect(catalog.overlayCount == 0)
        #expect(names(catalog) == [])
        #expect(catalog.triggers.map(\.name) == ["a"])
    }

    @Test func lateNewsChangeNothing() {
        var catalog = TriggerCatalog()
        catalog.put(CompiledTrigger(makeTrigger("a", alertName: "^Disk$")), revision: 5)
        catalog.put(CompiledTrigger(makeTrigger("a", alertName: "^Other$")), revision: 4)
        #expect(names(catalog) == ["a"])
        catalog.remove("a", revision: 3)
        #expect(names(catalog) == ["a"])
        catalog.remove("a", revision: 6)
        catalog.adopt(catalog.recompiled())
        catalog.put(CompiledTrigger(makeTrigger("a", alertName: "^Disk$")), revision: 5)
        #expect(names(catalog) == [])
        catalog.put(CompiledTrigger(makeTrigger("a", alertName: "^Disk$")), revision: 7)
        #expect(names(catalog) == ["a"])
    }

    /// A remote store tells only which state was deleted, not the revision of the deletion.
    @Test func aStateCanBeDeletedByItsOwnRevision() {
        var catalog = TriggerCatalog([(CompiledTrigger(makeTrigger("a", alertName: "^Disk$")), 3)])
        catalog.remove("a", revision: 3)
        #expect(names(catalog) == [])
        catalog.put(CompiledTrigger(makeTrigger("a", alertName: "^Disk$")), revision: 3)
        #expect(names(catalog) == [])
    }

    @Test func whatChangedDuringACompilationStaysOnTop() {
        var catalog = TriggerCatalog([(CompiledTrigger(makeTrigger("a", alertName: "^Disk$")), 1)])
        catalog.put(CompiledTrigger(makeTrigger("b", alertName: "^Disk$")), revision: 2)
        let recompilation = catalog.recompiled()
        catalog.put(CompiledTrigger(makeTrigger("b", alertName: "^Other$")), revision: 3)
        catalog.remove("a", revision: 4)
        catalog.adopt(recompilation)
        #expect(names(catalog) == [])
        #expect(catalog.overlayCount == 2)
    }

    @Test func rememberedDeletionsAreBounded() {
        var catalog = TriggerCatalog()
        for number in 0..<(TriggerCatalog.deletionsMax + 10) { catalog.remove("gone-\(number)", revision: Int64(number + 1)) }
        catalog.adopt(catalog.recompiled())
        #expect(catalog.overlayCount == 0)
        let last = TriggerCatalog.deletionsMax + 9
        catalog.put(CompiledTrigger(makeTrigger("gone-\(last)", alertName: "Disk")), revision: Int64(last))
        #expect(catalog.triggers.isEmpty)
    }

    /// The count of those that listen follows every change, compiled in or not yet.
    @Test func thoseThatListenAreCounted() {
        let events = makeTrigger("events") {
            $0.spec.sourceTemplate = SourceTemplate(kubernetesEventTemplate: KubernetesEventTemplate(regexp: .init(reason: "BackOff")))
        }
        var catalog = TriggerCatalog([
            (CompiledTrigger(makeTrigger("a", alertName: "A")), 1), (CompiledTrigger(makeTrigger("b", alertName: "B")), 2),
            (CompiledTrigger(events), 3), (CompiledTrigger(makeTrigger("broken", alertName: "(")), 4),
        ])
        func counts() -> [Int] { [catalog.listeningCount(to: .prometheusAlert), catalog.listeningCount(to: .kubernetesEvent)] }
        #expect(counts() == [2, 1])
        catalog.remove("a", revision: 5)
        catalog.put(CompiledTrigger(makeTrigger("events", alertName: "E")), revision: 6)
        catalog.put(CompiledTrigger(makeTrigger("new", alertName: "N")), revision: 7)
        #expect(counts() == [3, 0])
        catalog.adopt(catalog.recompiled())
        #expect(catalog.overlayCount == 0 && counts() == [3, 0])
        #expect(catalog.listeningCount(to: .cron) == 0)
    }
}

@Suite struct TextKeyTests {
    /// As `String`s these are equal; a pattern tells them apart.
    @Test func textsAreComparedByTheirBytes() {
        #expect("caf\u{E9}" == "cafe\u{301}")
        #expect(TextKey("caf\u{E9}") != TextKey("cafe\u{301}"))
        #expect(TextKey("a") == TextKey("a"))
        #expect(TextKey("a") != TextKey("b"))
    }
}

@Suite struct GenerationalCacheTests {
    @Test func keepsWhatIsUsedAndNoMoreThanItMay() {
        var cache = GenerationalCache<Int, Int>(entriesMax: 10)
        for number in 0..<100 {
            cache.insert(number, for: number)
            #expect(cache.value(for: 0) == 0)
            #expect(cache.count <= 10)
        }
        #expect(cache.value(for: 99) == 99)
        #expect(cache.value(for: 50) == nil)
        cache.remove(99)
        #expect(cache.value(for: 99) == nil)
    }
}
