import Foundation
import TestSupport
import Testing

@testable import ServiceKit

@Suite struct MetricTests {
    func lines(_ registry: MetricRegistry) -> [String] {
        String(decoding: registry.text(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func promtoolAcceptsThePage() async throws {
        let registry = MetricRegistry()
        ProcessMetrics.register(in: registry)
        registry.counter("kubediag_alerts_received_total", help: "Alerts received.").increment(by: 3)
        let outcomes = registry.counters(
            "kubediag_alert_outcomes_total", help: "Alerts by outcome; \\ and \n in the help.", labels: ["outcome"])
        outcomes("created").increment()
        outcomes("a \"quoted\" \\ value\nwith a line").increment()
        registry.gauge("kubediag_queue_length", help: "Diagnoses that wait.").set(-4)
        registry.gauge("kubediag_ratio", help: "A ratio.") { 0.25 }
        registry.gauge("kubediag_absent", help: "Nothing to say.") { nil }
        let latency = registry.histograms("http_request_duration_seconds", help: "Time.", labels: ["route", "method", "status"])
        latency("/apis/{group}", "GET", "2xx").observe(.milliseconds(3))
        latency("/apis/{group}", "GET", "2xx").observe(120)
        let text = String(decoding: registry.text(), as: UTF8.self)
        let result = try await run("/usr/bin/promtool", ["check", "metrics"], input: text)
        #expect(result == ProgramResult(status: 0, output: "", errors: ""))
    }

    @Test func promtoolWouldComplain() async throws {
        let result = try await run("/usr/bin/promtool", ["check", "metrics"], input: "# TYPE a gauge\na{b=\"c} 1\n")
        #expect(result.status != 0)
    }

    @Test func aHistogramIsCumulative() {
        let registry = MetricRegistry()
        let histogram = registry.histogram("t_seconds", help: "T.", bounds: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { histogram.observe(value) }
        #expect(
            lines(registry).filter { !$0.hasPrefix("#") } == [
                "t_seconds_bucket{le=\"0.1\"} 2", "t_seconds_bucket{le=\"1\"} 3", "t_seconds_bucket{le=\"+Inf\"} 4", "t_seconds_sum 7.65",
                "t_seconds_count 4",
            ])
    }

    @Test func aPeersInputCannotMakeSeriesWithoutEnd() {
        let registry = MetricRegistry()
        let family = registry.counters("x_total", help: "X.", labels: ["who", "what"], seriesMax: 10)
        for index in 0..<1000 { family("w\(index)", "same").increment() }
        let samples = lines(registry).filter { $0.hasPrefix("x_total") }
        #expect(samples.count == 11)
        #expect(samples.contains("x_total{who=\"other\",what=\"other\"} 990"))
    }

    @Test func seriesOfWhatIsGoneCanBeForgotten() {
        let registry = MetricRegistry()
        let family = registry.gauges("nodes", help: "N.", labels: ["node"])
        family("a").set(1)
        family("b").set(2)
        family.remove("a")
        #expect(lines(registry).filter { $0.hasPrefix("nodes") } == ["nodes{node=\"b\"} 2"])
    }

    @Test func countersAddUpOverThreads() async {
        let registry = MetricRegistry()
        let counter = registry.counter("y_total", help: "Y.")
        let histogram = registry.histogram("y_seconds", help: "Y.")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        histogram.observe(0.003)
                    }
                }
            }
        }
        #expect(counter.value == 80_000)
        #expect(histogram.count == 80_000)
        #expect(abs(histogram.snapshot.sum - 240) < 1e-6)
    }

    @Test func theProcessMetricsAreThere() {
        let registry = MetricRegistry()
        ProcessMetrics.register(in: registry)
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds", "process_cpu_seconds_total"] {
            let value = lines(registry).first { $0.hasPrefix("\(name) ") }?.split(separator: " ").last.flatMap { Double($0) }
            #expect((value ?? 0) > 0, "\(name)")
        }
    }
}
