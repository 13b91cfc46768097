internal import HTTPMessage

/// A path template taken apart: `/apis/{group}/v1/{plural}`.
struct RouteTemplate: Sendable, Hashable {
    enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter
        /// One or more segments to the end of the path.
        case tail
    }

    let segments: [Segment]
    /// The names of the variable segments in their order.
    let parameterNames: [String]

    init(parsing template: String) throws(RouterError) {
        guard template.utf8.first == UInt8(ascii: "/") else { throw .malformedTemplate(template) }
        var segments: [Segment] = []
        var names: [String] = []
        let parts = template == "/" ? [] : template.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            guard part.hasPrefix("{") || part.hasSuffix("}") else {
                guard !part.isEmpty || index == parts.count - 1 else { throw .malformedTemplate(template) }
                segments.append(.literal(String(part)))
                continue
            }
            guard part.hasPrefix("{"), part.hasSuffix("}") else { throw .malformedTemplate(template) }
            var name = part.dropFirst().dropLast()
            if name.hasSuffix("...") {
                guard index == parts.count - 1 else { throw .malformedTemplate(template) }
                name = name.dropLast(3)
                segments.append(.tail)
            } else {
                segments.append(.parameter)
            }
            guard Headers.isValidName(String(name)), !names.contains(String(name)) else { throw .malformedTemplate(template) }
            names.append(String(name))
        }
        self.segments = segments
        parameterNames = names
    }
}

/// A routing table that cannot be built.
public enum RouterError: Error, Equatable, Sendable {
    /// No leading `/`, an empty segment that is not the last, a brace out of place, a name twice, or a tail that is not last.
    case malformedTemplate(String)
    /// Two routes answer the same method on the same paths.
    case duplicate(method: String, template: String)
}
