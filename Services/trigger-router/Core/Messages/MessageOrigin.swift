/// Where a request for a diagnosis came from, as the diagnosis and the decision about it show it.
struct MessageOrigin: Sendable {
    /// What stands in a trigger's place: `kafka`, `cloudevents`.
    var source: String
    /// Where it lies, such as `topic/partition/offset`.
    var place: String
    /// For the decision.
    var labels: [String: String]
    /// For the diagnosis.
    var annotations: [String: String]
}
