import TestSupport

/// Prometheus' own judgement of a page of metrics.
enum Promtool {
    static func check(_ page: String) async throws -> (status: Int32, output: String) {
        let result = try await run("/usr/bin/promtool", ["check", "metrics"], input: page)
        return (result.status, result.output + result.errors)
    }
}
