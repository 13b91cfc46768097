import HTTPMessage
import Model
import ResourceStore

/// The query parameters of a list or a watch.
package struct ListOptions: Sendable {
    /// How a list's `resourceVersion` is meant.
    enum Freshness: Sendable, Hashable {
        /// The present; any list that we give satisfies it.
        case any
        /// The present, which is to be at least this.
        case notOlderThan(Int64)
        /// The state of that very revision.
        case exactly(Int64)
    }

    var labels = LabelSelector.everything
    var fields = FieldSelector.everything
    /// Objects at most; nil means all.
    package var limit: Int?
    /// The client's token, not yet checked.
    var continueText: String?
    var freshness = Freshness.any

    package init(_ query: Query, selectable: [String]) throws(APIError) {
        (labels, fields) = try Self.selectors(query, selectable: selectable)
        if let text = query["limit"], !text.isEmpty {
            guard let value = Int(text), value >= 0 else { throw .badRequest("limit must be a number that is not negative") }
            limit = value == 0 ? nil : value
        }
        if let text = query["continue"], !text.isEmpty { continueText = text }
        guard query["sendInitialEvents"]?.isEmpty ?? true else { throw .badRequest("sendInitialEvents is forbidden for list") }
        freshness = try Self.freshness(query, isPaged: limit != nil)
        if continueText != nil, freshness != .any {
            throw .badRequest("specifying resource version is not allowed when using continue")
        }
    }

    static func selectors(_ query: Query, selectable: [String]) throws(APIError) -> (LabelSelector, FieldSelector) {
        let (labels, fields): (LabelSelector, FieldSelector)
        do {
            labels = try LabelSelector(parsing: query["labelSelector"] ?? "")
        } catch {
            throw .badRequest("labelSelector: \(error.message)")
        }
        do {
            fields = try FieldSelector(parsing: query["fieldSelector"] ?? "", selectable: selectable)
        } catch {
            throw .badRequest("fieldSelector: \(error.message)")
        }
        return (labels, fields)
    }

    /// As in Kubernetes: without `resourceVersionMatch`, a limited list is of exactly that revision and a whole one at least as new.
    private static func freshness(_ query: Query, isPaged: Bool) throws(APIError) -> Freshness {
        let match = query["resourceVersionMatch"].flatMap { $0.isEmpty ? nil : $0 }
        guard let text = query["resourceVersion"], !text.isEmpty else {
            if match != nil { throw .badRequest("resourceVersionMatch is forbidden unless resourceVersion is provided") }
            return .any
        }
        let version = try Int64(resourceVersion: text)
        switch match {
        case nil where version > 0 && isPaged: return .exactly(version)
        case nil, "NotOlderThan": return version == 0 ? .any : .notOlderThan(version)
        case "Exact":
            if version == 0 { throw .badRequest("resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"") }
            return .exactly(version)
        case let other?: throw .badRequest("resourceVersionMatch must be one of NotOlderThan and Exact, not \"\(other)\"")
        }
    }
}

/// The query parameters of a watch.
package struct WatchOptions: Sendable {
    /// Seconds that a watch lasts at most and, give or take a factor, at least when the client names none.
    package static let secondsMax = 3600
    static let secondsMin = 1800

    var start: WatchQuery.Start
    /// What the initial state must not be older than; nil where any will do.
    var notOlderThan: Int64?
    var sendsBookmarks: Bool
    /// Marks the end of the initial state with an annotated bookmark (Kubernetes' watch-list).
    var marksInitialState: Bool
    package var seconds: Int

    package init(_ query: Query) throws(APIError) {
        sendsBookmarks = query.flag("allowWatchBookmarks")
        let version = try query["resourceVersion"].flatMap { $0.isEmpty ? nil : $0 }.map { text throws(APIError) in
            try Int64(resourceVersion: text)
        }
        start = version.flatMap { $0 == 0 ? nil : .after($0) } ?? .state
        marksInitialState = false
        let match = query["resourceVersionMatch"].flatMap { $0.isEmpty ? nil : $0 }
        switch query["sendInitialEvents"] {
        case "true", "1":
            guard match == "NotOlderThan" else { throw .badRequest("sendInitialEvents requires resourceVersionMatch=NotOlderThan") }
            notOlderThan = version
            start = .state
            marksInitialState = sendsBookmarks
        case "false", "0":
            if start == .state { start = .now }
        default:
            if match != nil { throw .badRequest("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided") }
        }
        seconds = .random(in: Self.secondsMin...Self.secondsMax)
        if let text = query["timeoutSeconds"], !text.isEmpty {
            guard let value = Int(text), value >= 0 else { throw .badRequest("timeoutSeconds must be a number that is not negative") }
            if value > 0 { seconds = min(value, Self.secondsMax) }
        }
    }
}

extension Query {
    /// Whether a parameter is set: `watch`, `watch=true`, `watch=1`.
    func flag(_ name: String) -> Bool {
        self[name].map { !["false", "0"].contains($0) } ?? false
    }
}
