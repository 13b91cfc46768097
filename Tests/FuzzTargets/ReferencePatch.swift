import JSONCoding

/// RFC 6902 and RFC 7396 as they are written, without a thought for speed or limits: what the product's own are held against.
enum ReferencePatch {
    struct Inapplicable: Error {}

    static func applying(_ patch: JSONPatch, to document: JSON) throws(Inapplicable) -> JSON {
        var document = document
        for operation in patch.operations {
            switch operation {
            case .add(let path, let value): document = try add(value, path.parts[...], document)
            case .remove(let path): document = try remove(path.parts[...], document)
            case .replace(let path, let value):
                _ = try self.value(at: path.parts[...], document)
                document = path.parts.isEmpty ? value : try add(value, path.parts[...], try remove(path.parts[...], document))
            case .copy(let from, let path): document = try add(try value(at: from.parts[...], document), path.parts[...], document)
            case .move(let from, let path):
                let moved = try value(at: from.parts[...], document)
                if from.parts == path.parts { continue }
                if path.parts.starts(with: from.parts) { throw Inapplicable() }
                document = try add(moved, path.parts[...], try remove(from.parts[...], document))
            case .test(let path, let expected):
                guard isEqual(try value(at: path.parts[...], document), expected) else { throw Inapplicable() }
            }
        }
        return document
    }

    private static func value(at path: ArraySlice<String>, _ document: JSON) throws(Inapplicable) -> JSON {
        guard let first = path.first else { return document }
        switch document {
        case .object(let members):
            guard let member = members[first] else { throw Inapplicable() }
            return try value(at: path.dropFirst(), member)
        case .array(let items): return try value(at: path.dropFirst(), items[try index(first, below: items.count)])
        default: throw Inapplicable()
        }
    }

    private static func add(_ value: JSON, _ path: ArraySlice<String>, _ document: JSON) throws(Inapplicable) -> JSON {
        guard let first = path.first else { return value }
        switch document {
        case .object(var members):
            if path.count == 1 {
                members[first] = value
            } else {
                guard let member = members[first] else { throw Inapplicable() }
                members[first] = try add(value, path.dropFirst(), member)
            }
            return .object(members)
        case .array(var items):
            if path.count == 1 {
                items.insert(value, at: first == "-" ? items.count : try index(first, below: items.count + 1))
            } else {
                let index = try index(first, below: items.count)
                items[index] = try add(value, path.dropFirst(), items[index])
            }
            return .array(items)
        default: throw Inapplicable()
        }
    }

    private static func remove(_ path: ArraySlice<String>, _ document: JSON) throws(Inapplicable) -> JSON {
        guard let first = path.first else { throw Inapplicable() }
        switch document {
        case .object(var members):
            guard let member = members[first] else { throw Inapplicable() }
            members[first] = path.count == 1 ? nil : try remove(path.dropFirst(), member)
            return .object(members)
        case .array(var items):
            let index = try index(first, below: items.count)
            if path.count == 1 { items.remove(at: index) } else { items[index] = try remove(path.dropFirst(), items[index]) }
            return .array(items)
        default: throw Inapplicable()
        }
    }

    private static func index(_ text: String, below end: Int) throws(Inapplicable) -> Int {
        guard let index = Int(text), String(index) == text, (0..<end).contains(index) else { throw Inapplicable() }
        return index
    }

    private static func isEqual(_ left: JSON, _ right: JSON) -> Bool {
        switch (left, right) {
        case (.array(let left), .array(let right)): left.count == right.count && zip(left, right).allSatisfy { isEqual($0, $1) }
        case (.object(let left), .object(let right)):
            left.keys == right.keys && left.allSatisfy { key, value in right[key].map { isEqual(value, $0) } ?? false }
        case (.integer(let left), .integer(let right)): left == right
        case (.integer, .number), (.number, .integer), (.number, .number): left.numberValue == right.numberValue
        default: left == right
        }
    }

    static func merging(_ patch: JSON, into target: JSON?) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var members = target?.objectValue ?? [:]
        for (name, value) in changes {
            members[name] = value.isNull ? nil : merging(value, into: members[name])
        }
        return .object(members)
    }
}
