import JSONCoding

/// Components of the group documents that belong to no kind: Kubernetes' own, as far as kinds' operations take or give them.
public enum SharedComponents {
    /// Schema Objects by name.
    public static let kubernetes: [String: JSON] = [
        "Status": status,
        "MergePatch": [
            "type": "object", "additionalProperties": true,
            "description":
                "A merge patch (RFC 7396): null removes a member. With metadata.resourceVersion it applies to that version alone.",
        ],
        "JSONPatch": jsonPatch, "DeleteOptions": deleteOptions,
    ]

    private static let jsonPatch: JSON = [
        "type": "array", "description": "A JSON Patch (RFC 6902): changes that are made one after the other, all or none.",
        "maxItems": .integer(Int64(JSONPatch.operationsMax)),
        "items": [
            "type": "object", "description": "One change, at the place of a JSON Pointer (RFC 6901).", "required": ["op", "path"],
            "properties": [
                "op": [
                    "type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"],
                    "description": "What is done; test refuses the patch where the value is another one.",
                ],
                "path": ["type": "string", "description": "Where: /metadata/labels/team; ~1 stands for a slash within a name, ~0 for ~."],
                "from": ["type": "string", "description": "Where move and copy take the value from."],
                "value": ["description": "The value of add, replace and test."],
            ],
        ],
    ]

    private static let text: JSON = ["type": "string"]

    private static let status: JSON = [
        "type": "object", "description": "What became of a request that has no object to answer with: Kubernetes' Status.",
        "properties": [
            "apiVersion": text, "kind": text, "metadata": ["type": "object"], "message": text, "reason": text,
            "status": ["type": "string", "enum": ["Success", "Failure"]], "code": ["type": "integer", "format": "int32"],
            "details": [
                "type": "object",
                "properties": [
                    "name": text, "group": text, "kind": text, "uid": text, "retryAfterSeconds": ["type": "integer", "format": "int32"],
                    "causes": [
                        "type": "array",
                        "items": ["type": "object", "properties": ["reason": text, "message": text, "field": text]],
                    ],
                ],
            ],
        ],
        "x-kubernetes-group-version-kind": [["group": "", "version": "v1", "kind": "Status"]],
    ]

    private static let deleteOptions: JSON = [
        "type": "object", "description": "How to delete: Kubernetes' DeleteOptions.",
        "properties": [
            "apiVersion": text, "kind": text, "dryRun": ["type": "array", "items": text],
            "gracePeriodSeconds": ["type": "integer", "format": "int64"], "propagationPolicy": text,
            "orphanDependents": ["type": "boolean"],
            "preconditions": ["type": "object", "properties": ["uid": text, "resourceVersion": text]],
        ],
    ]
}
