import JSONCoding
import Model
import Testing
import TriggerRouterCore

@Suite struct AlertPayloadTests {
    /// As Alertmanager 0.25 writes it: one that fires, one that has ended.
    static let webhook = """
        {"receiver":"kubediag","status":"firing","alerts":[
          {"status":"firing","labels":{"alertname":"DiskAlmostFull","instance":"web-07:9100","mountpoint":"/var"},
           "annotations":{"summary":"96 % \\u00fcber <all>"},"startsAt":"2026-11-22T19:01:58.659835242Z",
           "endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom.example/graph?g0.expr=up","fingerprint":"aa35702ae5fad2b1"},
          {"status":"resolved","labels":{"alertname":"DiskAlmostFull","instance":"web-08:9100"},"annotations":{},
           "startsAt":"2026-11-22T19:00:00Z","endsAt":"2026-11-22T19:02:12Z","generatorURL":"","fingerprint":"0f7c41d7d5c2bb1e"}],
         "groupLabels":{"alertname":"DiskAlmostFull"},"commonLabels":{"alertname":"DiskAlmostFull"},"commonAnnotations":{},
         "externalURL":"http://am.example:9093","version":"4","groupKey":"{}:{alertname=\\"DiskAlmostFull\\"}","truncatedAlerts":7}
        """

    /// Far more than any alert has: looking for the one must not take each with each.
    @Test func oneOfVeryManyLabelsTwice() {
        let labels = (0..<100_000).map { "\"a\($0)\":\"\"" } + ["\"a99999\":\"x\""]
        #expect(throws: AlertPayloadError.malformed("document has the key \"a99999\" twice in one object")) {
            try AlertPayload(postedAlerts: Array("[{\"labels\":{\(labels.joined(separator: ","))}}]".utf8))
        }
    }

    @Test func alertmanagerWebhook() throws {
        let payload = try AlertPayload(webhook: Array(Self.webhook.utf8))
        #expect(payload.truncatedCount == 7)
        let (first, second) = (payload.alerts[0], payload.alerts[1])
        #expect(first.name == "DiskAlmostFull")
        #expect(first.labels.sorted.map(\.name) == ["alertname", "instance", "mountpoint"])
        #expect(first.annotations["summary"] == "96 % über <all>")
        #expect(first.startsAt?.timestamp == Timestamp("2026-11-22T19:01:58.659835Z"))
        #expect(first.startsAt?.text == "2026-11-22T19:01:58.659835242Z")
        #expect(first.endsAt == nil)
        #expect(first.status(at: noon) == .firing)
        #expect(second.endsAt?.timestamp == Timestamp("2026-11-22T19:02:12Z"))
        // The sender's word counts, although this end lies in the future of the clock given.
        #expect(second.status(at: noon) == .resolved)
    }

    @Test func prometheusArray() throws {
        let body = """
            [{"annotations":{"summary":"up"},"startsAt":"2026-11-22T11:58:00.632Z","endsAt":"2026-11-22T12:02:00Z",
              "generatorURL":"http://prom.example/graph","labels":{"alertname":"AlwaysUp","job":"self"}},
             {"labels":{"alertname":"Gone"},"endsAt":"2026-11-22T11:59:00+00:00"},
             {"labels":{"alertname":"Bare"}},
             {"labels":{"alertname":"Nulls"},"annotations":null,"startsAt":null,"endsAt":"","unknown":{"deep":[1,2]}}]
            """
        let alerts = try AlertPayload(postedAlerts: Array(body.utf8)).alerts
        #expect(alerts.map(\.name) == ["AlwaysUp", "Gone", "Bare", "Nulls"])
        #expect(alerts.map { $0.status(at: noon) } == [.firing, .resolved, .firing, .firing])
        #expect(alerts[2].startsAt == nil)
        #expect(alerts[3].startsAt == nil)
        #expect(try AlertPayload(postedAlerts: Array("[]".utf8)).alerts.isEmpty)
    }

    @Test(
        arguments: [
            ("", "document is empty"), ("{", nil), ("null", "expected an Alertmanager webhook, found null"),
            ("[]", "expected an Alertmanager webhook, found an array; what Prometheus itself posts goes to /api/v2/alerts"),
            ("{}", "alerts: is required in an Alertmanager webhook"), (#"{"alerts":{}}"#, "alerts: expected an array, found an object"),
            (#"{"version":"3","alerts":[]}"#, "version: expected \"4\", the version of the payload that is understood"),
            (#"{"version":4,"alerts":[]}"#, "version: expected \"4\", the version of the payload that is understood"),
            (#"{"alerts":[5]}"#, "alerts[0]: expected an alert, found a number"),
            (#"{"alerts":[{"labels":{}},{}]}"#, "alerts[1]: is no alert: it has no labels"),
            (#"{"alerts":[{"labels":["a"]}]}"#, "alerts[0].labels: expected an object, found an array"),
            (#"{"alerts":[{"labels":{"severity":3}}]}"#, "alerts[0].labels.severity: expected a string, found a number"),
            (#"{"alerts":[{"labels":{},"annotations":{"a":[]}}]}"#, "alerts[0].annotations.a: expected a string, found an array"),
            (
                #"{"alerts":[{"labels":{},"startsAt":"yesterday"}]}"#,
                "alerts[0].startsAt: expected a time as in RFC 3339, found \"yesterday\""
            ),
            (#"{"alerts":[{"labels":{},"endsAt":17}]}"#, "alerts[0].endsAt: expected a time as text, found a number"),
            (#"{"alerts":[{"labels":{"a":"1","a":"2"}}]}"#, "document has the key \"a\" twice in one object"),
            (#"{"alerts":[{"labels":{},"labels":{}}]}"#, "document has the key \"labels\" twice in one object"),
            (#"{"alerts":[],"alerts":[]}"#, "document has the key \"alerts\" twice in one object"),
            (#"{"alerts":[{"labels":{"a":"\ud800"}}]}"#, nil),
            (#"{"alerts":[]} x"#, nil), ("{\"alerts\":[]}\u{0}", nil),
            (
                String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
                "expected an Alertmanager webhook, found an array; what Prometheus itself posts goes to /api/v2/alerts"
            ),
        ] as [(String, String?)])
    func whatIsNoWebhook(body: String, message: String?) {
        let error = #expect(throws: AlertPayloadError.self) { try AlertPayload(webhook: Array(body.utf8)) }
        if let message { #expect(error?.description == message) }
    }

    @Test func whatIsNoArrayOfAlerts() {
        #expect(throws: AlertPayloadError.unexpected(path: "", "expected an array of alerts, as Prometheus posts it, found an object")) {
            try AlertPayload(postedAlerts: Array(Self.webhook.utf8))
        }
        #expect(throws: AlertPayloadError.malformed("document is not valid UTF-8")) {
            try AlertPayload(postedAlerts: Array(#"[{"labels":{"a":""#.utf8) + [0xFF] + Array(#""}}]"#.utf8))
        }
    }

    @Test func whatATestMayBe() throws {
        let one: JSON = ["labels": ["alertname": "X"]]
        #expect(try AlertPayload(anyOf: one.encoded()).alerts.map(\.name) == ["X"])
        #expect(try AlertPayload(anyOf: JSON.array([one, one]).encoded()).alerts.count == 2)
        #expect(try AlertPayload(anyOf: JSON.object(["alerts": [one]]).encoded()).alerts.count == 1)
        #expect(throws: AlertPayloadError.self) { try AlertPayload(anyOf: Array("\"X\"".utf8)) }
    }

    @Test(arguments: [
        ("2026-11-22T19:01:58.659835242Z", "2026-11-22 19:01:58.659835242 +0000 UTC"),
        ("2026-11-22T19:01:58Z", "2026-11-22 19:01:58 +0000 UTC"),
        ("2026-11-22T19:01:58.500Z", "2026-11-22 19:01:58.5 +0000 UTC"), ("2026-11-22T19:01:58.000Z", "2026-11-22 19:01:58 +0000 UTC"),
        ("2026-11-22T19:01:58+00:00", "2026-11-22 19:01:58 +0000 UTC"),
        ("2026-11-22T19:01:58.25-05:30", "2026-11-22 19:01:58.25 -0530 -0530"),
    ])
    func timesMatchInBothSpellings(text: String, goText: String) throws {
        let time = try #require(AlertTime(text))
        let alert = Alert(labels: LabelSet(), startsAt: time)
        for pattern in [text, goText] {
            let trigger = makeTrigger("t") {
                $0.spec.sourceTemplate.prometheusAlertTemplate?.regexp.startsAt =
                    "^\(pattern.replacing("+", with: "\\+").replacing(".", with: "\\."))$"
            }
            #expect(CompiledTrigger(trigger).matches(alert))
            #expect(TriggerIndex([CompiledTrigger(trigger)]).matches(for: alert).count == 1)
        }
    }
}
