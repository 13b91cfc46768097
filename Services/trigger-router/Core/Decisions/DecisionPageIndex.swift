import Model

/// Which pages of decisions there are, oldest first, and which have to go.
///
/// Decisions are kept in pages, since a record of its own for each would cost more than the decision.
public struct DecisionPageIndex: Sendable {
    /// What is kept at most; beyond any of these the oldest pages go.
    public struct Limits: Sendable {
        public var decisionsMax: Int
        public var bytesMax: Int
        public var ageSecondsMax: Double

        public init(decisionsMax: Int, bytesMax: Int, ageSecondsMax: Double) {
            self.decisionsMax = decisionsMax
            self.bytesMax = bytesMax
            self.ageSecondsMax = ageSecondsMax
        }
    }

    /// A page: lines of JSON, oldest first.
    public struct Page: Codable, Sendable, Hashable {
        /// Later pages have greater numbers.
        public let number: Int64
        public internal(set) var count: Int
        public internal(set) var bytes: Int
        /// The earliest and the latest time of its decisions.
        public internal(set) var first: Timestamp
        public internal(set) var last: Timestamp

        /// An empty page.
        public init(number: Int64, at now: Timestamp) {
            self.number = number
            count = 0
            bytes = 0
            first = now
            last = now
        }

        /// A line of that length, its end counted, is added.
        public mutating func add(bytes lineBytes: Int, at time: Timestamp) {
            first = count == 0 ? time : min(first, time)
            last = count == 0 ? time : max(last, time)
            count += 1
            bytes += lineBytes
        }
    }

    public let limits: Limits
    public private(set) var pages: [Page] = []
    public private(set) var count = 0
    public private(set) var bytes = 0

    public init(limits: Limits) {
        self.limits = limits
    }

    /// The number for the next page.
    public var nextNumber: Int64 { (pages.last?.number ?? 0) + 1 }

    /// Adds a page behind all others, or replaces the last one by what it has become.
    public mutating func put(_ page: Page) {
        if pages.last?.number == page.number { drop(at: pages.count - 1) }
        precondition(page.number >= nextNumber, "pages are added in the order of their numbers")
        pages.append(page)
        count += page.count
        bytes += page.bytes
    }

    /// Removes the oldest pages beyond the limits, but never the last one, and returns them.
    public mutating func shrink(at now: Timestamp) -> [Page] {
        var gone: [Page] = []
        for page in pages {
            let isOld = now.seconds(since: page.last) > limits.ageSecondsMax
            guard isOld || (count > limits.decisionsMax || bytes > limits.bytesMax) && gone.count < pages.count - 1 else { break }
            gone.append(page)
            count -= page.count
            bytes -= page.bytes
        }
        pages.removeFirst(gone.count)
        return gone
    }

    private mutating func drop(at place: Int) {
        let page = pages.remove(at: place)
        count -= page.count
        bytes -= page.bytes
    }
}

/// Where a page of an answer ended: behind this line, counted from a page's beginning.
public struct DecisionPosition: Sendable, Hashable, CustomStringConvertible {
    public let page: Int64
    public let line: Int

    public init(page: Int64, line: Int) {
        self.page = page
        self.line = line
    }

    /// Nil for a text that `description` did not write.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let page = Int64(parts[0]), let line = Int(parts[1]), page >= 0, line >= 0 else { return nil }
        self.init(page: page, line: line)
    }

    public var description: String { "\(page).\(line)" }
}
