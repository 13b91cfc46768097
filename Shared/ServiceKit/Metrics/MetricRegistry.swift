import Synchronization

/// The metrics of one process, and their Prometheus text form.
///
/// A metric is registered once, when its owner is made; two of one name are our bug.
public final class MetricRegistry: Sendable {
    /// Appends the lines of one metric.
    private typealias Writer = @Sendable (inout MetricPage) -> Void

    /// Combinations of label values that one metric may have unless it says otherwise.
    public static let seriesMax = 1000

    private let writers = Mutex<[String: Writer]>([:])

    public init() {}

    /// A counter without labels; its name ends in `_total`.
    public func counter(_ name: String, help: String) -> Counter {
        counters(name, help: help, labels: []).series([])
    }

    /// Counters by label values; their name ends in `_total`.
    public func counters(_ name: String, help: String, labels: [String], seriesMax: Int = seriesMax) -> MetricFamily<Counter> {
        let family = MetricFamily(name: name, help: help, labelNames: labels, seriesMax: seriesMax, make: Counter.init)
        register(name) { page in
            page.begin(name, help: help, type: "counter")
            for (labels, series) in family.sorted { page.sample(name, labels, Double(series.value)) }
        }
        return family
    }

    /// A gauge without labels.
    public func gauge(_ name: String, help: String) -> Gauge {
        gauges(name, help: help, labels: []).series([])
    }

    /// Gauges by label values.
    public func gauges(_ name: String, help: String, labels: [String], seriesMax: Int = seriesMax) -> MetricFamily<Gauge> {
        let family = MetricFamily(name: name, help: help, labelNames: labels, seriesMax: seriesMax, make: Gauge.init)
        register(name) { page in
            page.begin(name, help: help, type: "gauge")
            for (labels, series) in family.sorted { page.sample(name, labels, Double(series.value)) }
        }
        return family
    }

    /// A gauge that is asked for its value whenever somebody reads the metrics; nil leaves the sample out.
    public func gauge(_ name: String, help: String, _ value: @escaping @Sendable () -> Double?) {
        register(name) { page in
            page.begin(name, help: help, type: "gauge")
            if let value = value() { page.sample(name, [], value) }
        }
    }

    /// A counter that is kept elsewhere and asked for whenever somebody reads the metrics.
    public func counter(_ name: String, help: String, _ value: @escaping @Sendable () -> Double?) {
        register(name) { page in
            page.begin(name, help: help, type: "counter")
            if let value = value() { page.sample(name, [], value) }
        }
    }

    /// A histogram without labels.
    public func histogram(_ name: String, help: String, bounds: [Double] = Histogram.latencyBounds) -> Histogram {
        histograms(name, help: help, labels: [], bounds: bounds).series([])
    }

    /// Histograms by label values.
    ///
    /// - Parameter omitsEmpty: series without an observation are left off the page.
    public func histograms(
        _ name: String, help: String, labels: [String], bounds: [Double] = Histogram.latencyBounds, seriesMax: Int = seriesMax,
        omitsEmpty: Bool = false
    ) -> MetricFamily<Histogram> {
        let family = MetricFamily(name: name, help: help, labelNames: labels, seriesMax: seriesMax) { Histogram(bounds: bounds) }
        register(name) { page in
            page.begin(name, help: help, type: "histogram")
            for (labels, series) in family.sorted where !(omitsEmpty && series.count == 0) { page.histogram(name, labels, series) }
        }
        return family
    }

    /// The page that `/metrics` serves, `text/plain; version=0.0.4`.
    public func text() -> [UInt8] {
        let sorted = writers.withLock { $0 }.sorted { $0.key < $1.key }
        var page = MetricPage()
        for (_, write) in sorted { write(&page) }
        return page.bytes
    }

    private func register(_ name: String, _ writer: @escaping Writer) {
        precondition(MetricText.isMetricName(name), "\(name) is misnamed")
        let replaced = writers.withLock { $0.updateValue(writer, forKey: name) }
        precondition(replaced == nil, "\(name) is registered twice")
    }
}

/// The text format being written.
struct MetricPage {
    private(set) var bytes: [UInt8] = []

    /// A counter that keeps the name which the original project gave it (`…_count`) is written as untyped: the conventions want `_total` of a
    /// counter and keep `_count` for histograms, and `promtool check metrics` holds us to them.
    mutating func begin(_ name: String, help: String, type: String) {
        let type = type == "counter" && !name.hasSuffix("_total") ? "untyped" : type
        bytes += "# HELP \(name) ".utf8
        MetricText.appendHelp(help, to: &bytes)
        bytes += "\n# TYPE \(name) \(type)\n".utf8
    }

    mutating func sample(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        bytes += name.utf8
        if !labels.isEmpty {
            for (index, label) in labels.enumerated() {
                bytes.append(UInt8(ascii: index == 0 ? "{" : ","))
                bytes += label.name.utf8
                bytes += "=\"".utf8
                MetricText.appendLabelValue(label.value, to: &bytes)
                bytes.append(UInt8(ascii: "\""))
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        bytes += MetricText.number(value).utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func histogram(_ name: String, _ labels: [(name: String, value: String)], _ series: Histogram) {
        let (counts, sum) = series.snapshot
        var cumulated = 0
        for (bound, count) in zip(series.bounds + [.infinity], counts) {
            cumulated += count
            sample("\(name)_bucket", labels + [("le", MetricText.number(bound))], Double(cumulated))
        }
        sample("\(name)_sum", labels, sum)
        sample("\(name)_count", labels, Double(cumulated))
    }
}
