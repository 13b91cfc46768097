import Foundation
import HTTPClient
import Model
import TestSupport
import Testing

/// A real Prometheus, Debian's, that takes the trigger-router for its Alertmanager.
@Suite struct PrometheusTests {
    private final class Prometheus: Sendable {
        private let program: BackgroundProgram
        private let directory: TemporaryDirectory

        init(alerting router: String, rules: String) throws {
            directory = try TemporaryDirectory()
            let configuration = """
                global: {scrape_interval: 1s, evaluation_interval: 1s}
                rule_files: [\(directory.path)/rules.yml]
                alerting:
                  alertmanagers:
                    - static_configs: [{targets: ['\(router.dropFirst("http://".count))']}]
                      api_version: v2
                      authorization: {credentials_file: \(directory.path)/token}
                """
            for (name, text) in [("prometheus.yml", configuration), ("rules.yml", rules), ("token", RunningService.receiverToken)] {
                try text.write(toFile: "\(directory.path)/\(name)", atomically: true, encoding: .utf8)
            }
            program = try BackgroundProgram(
                "/usr/bin/prometheus",
                [
                    "--config.file=\(directory.path)/prometheus.yml", "--storage.tsdb.path=\(directory.path)/data",
                    "--web.listen-address=127.0.0.1:0", "--rules.alert.resend-delay=1s",
                ])
        }

        func stop() async throws {
            try await program.stop()
            directory.remove()
        }
    }

    @Test func itsAlertsBecomeDiagnosesOnceThough() async throws {
        let fixture = try await RouterFixture()
        try await fixture.apply(
            makeTrigger("always", alertName: "^AlwaysUp$") {
                $0.spec.sourceTemplate.prometheusAlertTemplate?.parameterInjectionLabels = ["mountpoint"]
            })
        let rules = """
            groups:
              - name: test
                rules:
                  - alert: AlwaysUp
                    expr: vector(1)
                    labels: {instance: 'web-07:9100', mountpoint: /var, severity: info}
                    annotations: {summary: 'value is {{ $value }}, "quoted" und übrig'}
            """
        let prometheus = try Prometheus(alerting: fixture.router.url, rules: rules)
        // The first is new; Prometheus repeats it every second, with an end that moves.
        let outcomes = { try await fixture.decisions("?alertname=AlwaysUp").items.map(\.outcome) }
        #expect(try await eventually(seconds: 40) { try await outcomes().count >= 3 })
        try await prometheus.stop()
        let all = try await outcomes()
        #expect(all.last == .created)
        #expect(all.dropLast().allSatisfy { $0 == .duplicate })
        let item = try #require(fixture.peer.stored.first)
        #expect(fixture.peer.stored.count == 1)
        #expect(item.nodeName == "web-07:9100")
        #expect(item.parameters == ["mountpoint": "/var"])
        #expect(item.startsAt != nil)
        #expect(try await fixture.decisions().lastWebhook?.receiver == "prometheus")
        await fixture.stop()
    }
}
