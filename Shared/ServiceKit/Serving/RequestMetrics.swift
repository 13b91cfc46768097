/// How long requests took, by route, method and class of status.
///
/// Every route keeps its own series, so that an observation looks nothing up.
struct RequestMetrics: Sendable {
    /// One histogram for each class of status.
    struct Series: Sendable {
        fileprivate let histograms: [Histogram]

        func observe(status: Int, duration: Duration) {
            histograms[min(max(status / 100, 1), 5) - 1].observe(duration)
        }
    }

    private let family: MetricFamily<Histogram>
    /// Of requests that no route matched.
    let unmatched: Series

    private static let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"]

    init(endpoints: [Endpoint], registry: MetricRegistry) {
        family = registry.histograms(
            "http_request_duration_seconds", help: "Time from a request's head to the end of its answer, streams left out.",
            labels: ["route", "method", "status"], seriesMax: (endpoints.count + 2) * Self.classes.count, omitsEmpty: true)
        unmatched = Self.series(of: family, "unmatched", "any")
    }

    /// HEAD is answered by the GET route and counted with it.
    func series(of endpoint: Endpoint) -> Series {
        Self.series(of: family, endpoint.template, endpoint.method.token)
    }

    private static func series(of family: MetricFamily<Histogram>, _ template: String, _ method: String) -> Series {
        Series(histograms: classes.map { family.series([template, method, $0]) })
    }
}
