import HTTPMessage
import Model
import ResourceAPI

extension FuzzTarget {
    /// The query of a request and, in a second part, the body of a deletion: lists, watches, writes and deletions take it or refuse it as
    /// the caller's fault, and it reads back as it is written.
    static let query = FuzzTarget(
        "query", bytesMax: 2048,
        words: [
            "labelSelector=", "fieldSelector=", "limit=", "continue=", "resourceVersion=", "resourceVersionMatch=", "NotOlderThan", "Exact",
            "timeoutSeconds=", "sendInitialEvents=", "allowWatchBookmarks=", "dryRun=", "All", "fieldManager=", "fieldValidation=",
            "Strict",
            "force=", "propagationPolicy=", "%2C", "%3D", "&", Sections.separator,
        ]
    ) { input in
        let parts = Sections(input)
        guard let text = parts.text(0), let query = Query(parsing: text) else { return }
        try expect(Query(parsing: query.encoded) == query, "\(query.encoded) reads back as another query")
        for definition in API.definitions {
            let list = try await refusable { try ListOptions(query, selectable: definition.names.selectableFields) }
            if let limit = list?.limit { try expect(limit > 0, "a list of \(limit)") }
        }
        if let watch = try await refusable({ try WatchOptions(query) }) {
            try expect((1...WatchOptions.secondsMax).contains(watch.seconds), "a watch of \(watch.seconds) s")
        }
        if let write = try await refusable({ try WriteOptions(query, userAgent: text) }) {
            try expect(OwnerName.faults(write.fieldManager).isEmpty && !write.fieldManager.isEmpty, "the owner \(write.fieldManager)")
        }
        _ = try await refusable { try DeleteOptions(query, body: parts[1]) }
    }
}
