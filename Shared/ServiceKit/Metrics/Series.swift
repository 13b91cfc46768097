import Synchronization

/// What counts up and never down: events since the process began.
///
/// One atomic addition, so that a handler may count wherever it likes.
public final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    init() {}

    public func increment(by amount: Int = 1) {
        precondition(amount >= 0, "a counter never goes down")
        count.add(amount, ordering: .relaxed)
    }

    public var value: Int { count.load(ordering: .relaxed) }
}

/// A figure that goes up and down, in whole units.
public final class Gauge: Sendable {
    private let current = Atomic<Int>(0)

    init() {}

    public func set(_ value: Int) { current.store(value, ordering: .relaxed) }
    public func add(_ amount: Int) { current.add(amount, ordering: .relaxed) }
    public var value: Int { current.load(ordering: .relaxed) }
}

/// How often durations (in seconds) or sizes fell into each of a fixed set of ranges.
///
/// An observation is two atomic additions: the bucket's and the sum's. The sum is kept in units of 10⁻⁹, which is exact for times and enough
/// for 292 years of them.
public final class Histogram: Sendable {
    /// An atomic is not copyable, so that a list of them is a list of these.
    private final class Cell: Sendable {
        let count = Atomic<Int>(0)
    }

    /// Upper bounds, ascending; the one of infinity is implied.
    public let bounds: [Double]
    private let cells: [Cell]
    private let sumBillionths = Atomic<Int>(0)

    init(bounds: [Double]) {
        precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy(<), "the bounds of a histogram ascend")
        self.bounds = bounds
        cells = (0...bounds.count).map { _ in Cell() }
    }

    public func observe(_ value: Double) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        cells[index].count.add(1, ordering: .relaxed)
        sumBillionths.add(Int(exactly: (value * 1e9).rounded()) ?? 0, ordering: .relaxed)
    }

    /// Observes a duration in seconds.
    public func observe(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        observe(Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// Runs `body` and observes how long it took, whether it throws or not.
    public func time<Value, Failure: Error>(_ body: () async throws(Failure) -> Value) async throws(Failure) -> Value {
        let start = ContinuousClock.now
        defer { observe(ContinuousClock.now - start) }
        return try await body()
    }

    /// Observations so far in each range, not cumulated, and their sum.
    var snapshot: (counts: [Int], sum: Double) {
        (cells.map { $0.count.load(ordering: .relaxed) }, Double(sumBillionths.load(ordering: .relaxed)) / 1e9)
    }

    public var count: Int { snapshot.counts.reduce(0, +) }

    /// From 0.5 ms to 10 s, for requests and commits.
    public static let latencyBounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
}
