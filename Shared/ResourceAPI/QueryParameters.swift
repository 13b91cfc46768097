import JSONCoding

/// The query parameters that each action takes, as the OpenAPI document tells them.
enum QueryParameters {
    static func of(_ action: String) -> [JSON] {
        switch action {
        case "list": selectors + list
        case "get": []
        case "delete": [dryRun] + deletion
        case "deletecollection": selectors + [dryRun] + deletion
        default: [dryRun, fieldValidation, parameter("fieldManager", "string", "Who writes; not kept.")]
        }
    }

    private static func parameter(_ name: String, _ type: String, _ description: String, values: [String]? = nil) -> JSON {
        var schema: [String: JSON] = ["type": .string(type)]
        if let values { schema["enum"] = .array(values.map(JSON.string)) }
        return ["name": .string(name), "in": "query", "description": .string(description), "schema": .object(schema)]
    }

    private static let dryRun = parameter("dryRun", "string", "All: judge the request and answer it, but store nothing.", values: ["All"])
    private static let fieldValidation = parameter(
        "fieldValidation", "string", "What becomes of a request with unknown fields; Warn when absent.",
        values: ["Ignore", "Warn", "Strict"])
    private static let selectors = [
        parameter("labelSelector", "string", "Labels to select by, such as app=web,tier!=db."),
        parameter("fieldSelector", "string", "Fields to select by, such as status.phase=Failed."),
    ]
    private static let list = [
        parameter("limit", "integer", "Objects on a page at most."),
        parameter("continue", "string", "The token of the page before."),
        parameter("resourceVersion", "string", "How fresh a list has to be, or where a watch begins."),
        parameter("resourceVersionMatch", "string", "How resourceVersion is meant.", values: ["NotOlderThan", "Exact"]),
        parameter("watch", "boolean", "Stream the changes, one JSON object a line."),
        parameter("allowWatchBookmarks", "boolean", "Send bookmarks from time to time."),
        parameter("sendInitialEvents", "boolean", "Whether a watch begins with the present objects."),
        parameter("timeoutSeconds", "integer", "How long a watch lasts at most."),
    ]
    private static let deletion = [
        parameter("gracePeriodSeconds", "integer", "Accepted and without effect."),
        parameter(
            "propagationPolicy", "string", "Accepted; every deletion is a background one.", values: ["Background", "Foreground", "Orphan"]),
    ]
}
