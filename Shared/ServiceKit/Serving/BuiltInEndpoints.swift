import HTTPServer
import JSONCoding

/// The routes that every service has.
enum BuiltInEndpoints {
    /// Probes and scrapes are answered under load too, when they matter most.
    private static let limits = RouteLimits(bodyBytesMax: 0, isExemptFromLoadLimit: true)

    static func all(service: String, metrics: MetricRegistry, health: HealthRegistry) -> [Endpoint] {
        [
            .open(.get, "/healthz", limits: limits, summary: "Whether the process is alive.") { _ in
                .json(.object(["status": .string("alive"), "service": .string(service), "version": .string(ProductVersion.text)]))
            },
            .open(.get, "/readyz", limits: limits, summary: "Whether the process can do its work, and what is missing if not.") { _ in
                let missing = health.missing
                var response = Response.json(HealthRegistry.json(missing: missing), status: missing.isEmpty ? 200 : 503)
                if !missing.isEmpty { response.headers.set("Retry-After", "1") }
                return response
            },
            Endpoint(
                .get, "/metrics", access: [.admin, .service, .receiver], limits: limits,
                summary: "Metrics in the Prometheus text format, version 0.0.4."
            ) { _ in
                Response(
                    status: 200, headers: ["Content-Type": "text/plain; version=0.0.4; charset=utf-8"], body: .bytes(metrics.text()))
            },
        ]
    }
}
