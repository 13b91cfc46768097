import JSONCoding

/// What several events of one body are: those that can be used, and those that can't.
public struct EventBatch<Event: Sendable>: Sendable {
    /// An item that is no event, and why.
    public struct Unusable: Sendable {
        /// Its place in the body, from 0.
        public let index: Int
        public let item: JSON
        public let fault: EventFault
    }

    public let events: [Event]
    public let unusable: [Unusable]

    public init(_ events: [Event]) {
        self.events = events
        unusable = []
    }

    /// Reads each item on its own. Throws the first fault, told by its place, where none can be used.
    public init(_ items: [JSON], reading: (JSON) throws(EventFault) -> Event) throws(EventFault) {
        self.init(each: items, reading: reading)
        if events.isEmpty, let first = unusable.first { throw first.placedFault }
    }

    /// Reads each item on its own; it may be that none can be used.
    public init(each items: [JSON], reading: (JSON) throws(EventFault) -> Event) {
        var events: [Event] = []
        var unusable: [Unusable] = []
        for (index, item) in items.enumerated() {
            do throws(EventFault) {
                events.append(try reading(item))
            } catch {
                unusable.append(Unusable(index: index, item: item, fault: error))
            }
        }
        self.events = events
        self.unusable = unusable
    }
}

extension EventBatch.Unusable {
    /// The fault with the item's place before its path.
    public var placedFault: EventFault { fault.placed(at: index) }
}

extension EventFault {
    /// The same of an item at that place of an array.
    public func placed(at index: Int) -> EventFault { EventFault("[\(index)]" + (path.isEmpty ? "" : ".\(path)"), message) }
}
