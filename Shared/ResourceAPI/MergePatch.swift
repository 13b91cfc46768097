import JSONCoding

extension JSON {
    /// This document after a merge patch (RFC 7396): a member of the patch that is `null` removes the member, an object is merged into the
    /// member's object, anything else replaces it.
    package func applying(mergePatch patch: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var members = objectValue ?? [:]
        for (key, change) in changes {
            if change.isNull {
                members[key] = nil
            } else {
                members[key] = (members[key] ?? .null).applying(mergePatch: change)
            }
        }
        return .object(members)
    }
}
