import Model
import Testing
import TriggerRouterCore

@Suite struct VerdictTests {
    @Test func theFirstDifferenceIsNamed() {
        let alert = makeAlert("NodeFilesystem", ["mountpoint": "/data", "quote": "a\"b\n"])
        func verdict(_ alertName: String?, _ labels: [String: String]? = nil) -> String {
            CompiledTrigger(makeTrigger("t", alertName: alertName, labels: labels)).verdict(on: alert).description
        }
        #expect(verdict("^NodeFilesystem$") == "matches")
        #expect(verdict(nil, ["mountpoint": "^/var$"]) == "labels.mountpoint \"/data\" !~ ^/var$")
        #expect(verdict("^Disk", ["mountpoint": "^/var$"]) == "alertName \"NodeFilesystem\" !~ ^Disk")
        #expect(verdict(nil, ["severity": "crit", "zone": "x"]) == "labels.severity is absent, wanted crit")
        #expect(verdict(nil, ["severity": ""]) == "labels.severity is absent, wanted any value")
        #expect(verdict(nil, ["quote": "^c"]) == "labels.quote \"a\\\"b\\n\" !~ ^c")
    }

    @Test func longTextsAreCut() {
        let alert = makeAlert(String(repeating: "x", count: 5000))
        let verdict = CompiledTrigger(makeTrigger("t", alertName: "y")).verdict(on: alert)
        #expect(verdict.description == "alertName \"\(String(repeating: "x", count: 200))\"… !~ y")
    }

    @Test func otherSourcesAndBrokenPatterns() {
        let cron = makeTrigger("t") { $0.spec.sourceTemplate = SourceTemplate(cronTemplate: CronTemplate(schedule: "0 3 * * *")) }
        #expect(CompiledTrigger(cron).verdict(on: makeAlert("X")).description == "the trigger listens to Cron alone")
        let broken = CompiledTrigger(makeTrigger("t", alertName: "(", labels: ["a": "["]))
        #expect(
            broken.verdict(on: makeAlert("X"))
                == .invalid([
                    FieldFault("spec.sourceTemplate.prometheusAlertTemplate.regexp.alertName", .invalid, "missing ): ("),
                    FieldFault("spec.sourceTemplate.prometheusAlertTemplate.regexp.labels.a", .invalid, "missing ]: ["),
                ]))
        #expect(!broken.matches(makeAlert("(")))
        #expect(TriggerIndex([broken, CompiledTrigger(cron)]).matches(for: makeAlert("(")).isEmpty)
    }

    /// What the explanation says is what matching does.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func verdictsAgreeWithMatching(seed: UInt64) {
        var random = SplitMix(seed: seed)
        for number in 0..<100 {
            let trigger = CompiledTrigger(random.trigger("t-\(number)"))
            let alert = random.alert()
            #expect((trigger.verdict(on: alert) == .matches) == trigger.matches(alert), "seed \(seed)")
        }
    }
}
