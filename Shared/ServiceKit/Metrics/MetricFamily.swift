import Synchronization

/// The series of one metric: one for each combination of label values.
///
/// Looking a series up takes a lock and a hash; a hot path keeps the series that it was given. Past `seriesMax` combinations every further
/// one shares a series whose label values are all `other`, so that a peer's input can't fill the memory.
public final class MetricFamily<Series: AnyObject & Sendable>: Sendable {
    public let name: String
    public let help: String
    public let labelNames: [String]
    let seriesMax: Int
    private let make: @Sendable () -> Series
    private let series = Mutex<[[String]: Series]>([:])

    init(name: String, help: String, labelNames: [String], seriesMax: Int, make: @escaping @Sendable () -> Series) {
        precondition(MetricText.isMetricName(name) && labelNames.allSatisfy(MetricText.isLabelName), "\(name) is misnamed")
        self.name = name
        self.help = help
        self.labelNames = labelNames
        self.seriesMax = seriesMax
        self.make = make
    }

    /// The series of these label values, in the order of `labelNames`.
    public func callAsFunction(_ labelValues: String...) -> Series {
        series(labelValues)
    }

    /// The series of these label values, in the order of `labelNames`.
    public func series(_ labelValues: [String]) -> Series {
        precondition(labelValues.count == labelNames.count, "\(name) has the labels \(labelNames)")
        return series.withLock { known in
            if let found = known[labelValues] { return found }
            let key = known.count < seriesMax ? labelValues : labelValues.map { _ in "other" }
            if let found = known[key] { return found }
            let made = make()
            known[key] = made
            return made
        }
    }

    /// Forgets a series whose subject is gone, such as a node that was deleted.
    public func remove(_ labelValues: String...) {
        _ = series.withLock { $0.removeValue(forKey: labelValues) }
    }

    /// Every series with its labels, in the order of the label values.
    var sorted: [(labels: [(name: String, value: String)], series: Series)] {
        series.withLock { $0 }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { (Array(zip(labelNames, $0.key)), $0.value) }
    }
}
