/// The times and limits of garbage collection.
public struct CollectorOptions: Sendable {
    /// Between two looks at every object with owners; what no watch told is found by then.
    public var recheck = Duration.seconds(600)
    /// The pause before what could not be decided is looked at again: doubled each time, up to `retryMax`.
    public var retryMin = Duration.milliseconds(500)
    public var retryMax = Duration.seconds(30)
    /// How long an owner's watch lasts before it is taken up again.
    public var watchSeconds = 300
    /// Objects that are looked at under one view of their owners.
    public var batchObjectsMax = 500
    /// Objects that are looked at at once.
    public var concurrencyMax = 16
    /// Objects on a page of the store.
    public var pageObjectsMax = 500

    public init() {}
}
