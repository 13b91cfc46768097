import JSONCoding
import Model

extension JSON {
    /// This document with all that `other` says in it: members are merged, lists by their items where the schema says how, all else is
    /// replaced.
    func merged(with other: JSON, schema: Schema?) -> JSON { merged(with: other, schema, depth: 0) }

    private func merged(with other: JSON, _ schema: Schema?, depth: Int) -> JSON {
        switch (Anatomy(self, schema, depth: depth), Anatomy(other, schema, depth: depth)) {
        case (.object(var members), .object(let changes)):
            for (name, change) in changes {
                members[name] = members[name].map { $0.merged(with: change, schema?.schema(of: .field(name)), depth: depth + 1) } ?? change
            }
            return .object(members)
        case (.list(let own), .list(let theirs)): return .array(Self.merge(own, theirs, schema, depth))
        default: return other
        }
    }

    /// Items that `theirs` has too take its order, the others keep their places among them.
    private static func merge(_ own: [Anatomy.Item], _ theirs: [Anatomy.Item], _ schema: Schema?, _ depth: Int) -> [JSON] {
        let present = Dictionary(own.map { ($0.element, $0.value) }, uniquingKeysWith: { first, _ in first })
        let places = Dictionary(theirs.enumerated().map { ($1.element, $0) }, uniquingKeysWith: { first, _ in first })
        var result: [JSON] = []
        var next = 0
        func take(upTo end: Int) {
            while next < end {
                let item = theirs[next]
                let schema = schema?.schema(of: item.element)
                result.append(present[item.element].map { $0.merged(with: item.value, schema, depth: depth + 1) } ?? item.value)
                next += 1
            }
        }
        for item in own {
            if let place = places[item.element] { take(upTo: place + 1) } else { result.append(item.value) }
        }
        take(upTo: theirs.count)
        return result
    }

    /// This document without the fields of `set` and all that is below them. What is empty for it goes too.
    func removing(_ set: FieldSet, schema: Schema?) -> JSON { removing(set, schema, depth: 0) ?? [:] }

    private func removing(_ set: FieldSet, _ schema: Schema?, depth: Int) -> JSON? {
        if set.isEmpty { return self }
        switch Anatomy(self, schema, depth: depth) {
        case .leaf: return self
        case .object(let members):
            var rest: [String: JSON] = [:]
            for (name, member) in members {
                let element = PathElement.field(name)
                if set.members.contains(element) { continue }
                rest[name] = member.removing(set.below(element), schema?.schema(of: element), depth: depth + 1)
            }
            return rest.isEmpty && !members.isEmpty ? nil : .object(rest)
        case .list(let items):
            let rest = items.compactMap { item -> JSON? in
                if set.members.contains(item.element) { return nil }
                return item.value.removing(set.below(item.element), schema?.schema(of: item.element), depth: depth + 1)
            }
            return rest.isEmpty && !items.isEmpty ? nil : .array(rest)
        }
    }

    /// This document without its null members: they say nothing.
    func withoutNulls() -> JSON {
        switch self {
        case .object(let members): .object(members.filter { !$0.value.isNull }.mapValues { $0.withoutNulls() })
        case .array(let items): .array(items.map { $0.withoutNulls() })
        default: self
        }
    }
}
