import HTTPMessage

/// How long requests took, by route, method and class of status.
///
/// The series of every endpoint exist from the start, so that an observation is a lookup in a dictionary that never changes: no lock.
struct RequestMetrics: Sendable {
    private struct Key: Hashable {
        let method: Method
        let template: String
    }

    private let byRoute: [Key: [Histogram]]
    private let unmatched: [Histogram]

    private static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"]

    init(endpoints: [Endpoint], registry: MetricRegistry) {
        let family = registry.histograms(
            "http_request_duration_seconds", help: "Time from a request's head to the end of its answer, streams left out.",
            labels: ["route", "method", "status"], seriesMax: (endpoints.count + 2) * Self.classes.count, omitsEmpty: true)
        func series(_ template: String, _ method: String) -> [Histogram] {
            Self.classes.map { family.series([template, method, $0]) }
        }
        unmatched = series("unmatched", "any")
        byRoute = Dictionary(
            endpoints.map { (Key(method: $0.method, template: $0.template), series($0.template, $0.method.token)) },
            uniquingKeysWith: { first, _ in first })
    }

    func observe(template: String?, method: Method, status: Int, duration: Duration) {
        // HEAD is answered by the GET route.
        let key = template.map { Key(method: method == .head ? .get : method, template: $0) }
        let series = key.flatMap { byRoute[$0] } ?? unmatched
        series[min(max(status / 100, 1), 5) - 1].observe(duration)
    }
}
