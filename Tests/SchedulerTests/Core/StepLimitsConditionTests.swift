import Model
import SchedulerCore
import Testing

@Suite struct StepLimitsConditionTests {
    @Test(
        arguments: [
            (["pids", "memory", "cpu"], nil, "ControlGroups", "control groups hold cpu, memory and pids of steps"),
            ([], "not delegated", "NoControlGroups", "no control group holds cpu, memory and pids of steps: not delegated"),
            (["io"], nil, "NoControlGroups", "no control group holds cpu, memory and pids of steps"),
            (["memory", "pids"], "x", "ControllersMissing", "control groups hold memory and pids of steps, but not cpu: x"),
        ] as [([String], String?, String, String)])
    func saysWhichAndWhy(controllers: [String], cause: String?, reason: String, message: String) {
        let condition = StepLimitSupport(controllers: controllers, cause: cause).condition
        #expect(condition.type == "StepLimits" && condition.reason == reason && condition.message == message)
        #expect(condition.status == (reason == "ControlGroups" ? .true : .false))
    }

    @Test func aLongCauseIsCut() {
        let condition = StepLimitSupport(controllers: [], cause: String(repeating: "x", count: 100_000)).condition
        #expect(condition.message.map { $0.count < 700 } == true)
    }
}
