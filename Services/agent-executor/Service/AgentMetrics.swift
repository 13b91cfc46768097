import AgentExecutorCore
import Model
import Redaction
import ServiceKit
import Synchronization

/// What the agent counts.
struct AgentMetrics: Sendable {
    let reports: Counter
    let refusedReports: Counter
    let parkedReports: Counter
    private let redactions: MetricFamily<Counter>
    private let jobs: MetricFamily<Counter>
    private let steps: MetricFamily<Histogram>
    private let gauges: JobGauges

    init(_ registry: MetricRegistry) {
        reports = registry.counter("agent_reports_total", help: "Reports sent to the scheduler.")
        refusedReports = registry.counter("agent_reports_refused_total", help: "Reports of stale or deleted runs.")
        parkedReports = registry.counter("agent_reports_parked_total", help: "Reports that the scheduler refused for good.")
        redactions = registry.counters(
            "agent_redactions_total", help: "Secrets that were replaced in what steps put out, by the rule that found them.",
            labels: ["rule"], seriesMax: Redactor.ruleNames.count)
        jobs = registry.counters("agent_jobs_ended_total", help: "Runs that ended, by phase.", labels: ["phase"], seriesMax: 2)
        steps = registry.histograms(
            "agent_step_duration_seconds", help: "Time of one execution of a step, by outcome.", labels: ["outcome"], seriesMax: 3)
        gauges = JobGauges()
        let gauges = gauges
        registry.gauge("agent_jobs_waiting", help: "Accepted jobs that wait.") { Double(gauges.waiting.load(ordering: .relaxed)) }
        registry.gauge("agent_jobs_running", help: "Jobs that run.") { Double(gauges.running.load(ordering: .relaxed)) }
        registry.gauge("agent_jobs_unreported", help: "Ended jobs that the scheduler has not acknowledged.") {
            Double(gauges.unreported.load(ordering: .relaxed))
        }
    }

    func jobEnded(_ end: JobEnd) { jobs.series([end.succeeded ? "Succeeded" : "Failed"]).increment() }

    func redacted(_ counts: Redactor.Counts) {
        for (rule, count) in counts.byRule { redactions.series([rule]).increment(by: count) }
    }

    func stepEnded(_ outcome: StepOutcome, _ duration: Duration) { steps.series([outcome.rawValue]).observe(duration) }

    func observe(_ counts: (waiting: Int, running: Int, unreported: Int)) {
        gauges.waiting.store(counts.waiting, ordering: .relaxed)
        gauges.running.store(counts.running, ordering: .relaxed)
        gauges.unreported.store(counts.unreported, ordering: .relaxed)
    }
}

private final class JobGauges: Sendable {
    let waiting = Atomic<Int>(0)
    let running = Atomic<Int>(0)
    let unreported = Atomic<Int>(0)
}
