extension JSON {
    /// This document after a JSON Patch (RFC 6902).
    ///
    /// What the operations insert is counted, so that copies of copies end with a fault and not with the memory; the result is never
    /// nested deeper than a document that can be parsed.
    public func applying(_ patch: JSONPatch) throws(JSONPatch.Fault) -> JSON {
        var work = PatchWork(document: self)
        for (index, operation) in patch.operations.enumerated() {
            do throws(PatchWork.Refusal) {
                try work.perform(operation)
            } catch {
                throw JSONPatch.Fault(kind: error.kind, index: index, message: error.message)
            }
        }
        return work.document
    }
}

/// A document on its way through a patch.
private struct PatchWork {
    struct Refusal: Error {
        var kind = JSONPatch.Fault.Kind.inapplicable
        var message: String
    }

    var document: JSON
    /// Values that may still be inserted or shifted.
    private var room = 1_000_000
    private static let depthMax = JSON.Limits.default.depthMax

    init(document: JSON) { self.document = document }

    mutating func perform(_ operation: JSONPatch.Operation) throws(Refusal) {
        switch operation {
        case .add(let path, let value): try add(value, at: path, as: "add")
        case .remove(let path): _ = try remove(path, as: "remove")
        case .replace(let path, let value): try replace(value, at: path)
        case .copy(let from, let to): try add(try value(at: from, as: "copy"), at: to, as: "copy")
        case .move(let from, let to):
            if from == to {
                _ = try value(at: from, as: "move")
                return
            }
            guard !from.contains(to) else { throw Refusal(message: "move: \(to) lies within \(from)") }
            try add(try remove(from, as: "move"), at: to, as: "move")
        case .test(let path, let expected):
            guard try value(at: path, as: "test").isEqual(to: expected) else {
                throw Refusal(message: "test: the value at \(Self.name(path)) is another one")
            }
        }
    }

    private mutating func add(_ value: JSON, at path: JSONPointer, as verb: String) throws(Refusal) {
        try charge(value, depth: path.parts.count)
        guard !path.parts.isEmpty else {
            document = value
            return
        }
        let cost = try Self.visit(&document, path.parts[...], path, verb) { (parent, last) throws(Refusal) in
            switch parent {
            case .object(var members):
                parent = .null
                members[last] = value
                parent = .object(members)
                return 0
            case .array(var items):
                let index = last == "-" ? items.count : try Self.index(last, upTo: items.count, path, verb)
                parent = .null
                items.insert(value, at: index)
                parent = .array(items)
                return (items.count - index) / 256
            default: throw Self.missing(path, verb)
            }
        }
        try spend(cost)
    }

    private mutating func remove(_ path: JSONPointer, as verb: String) throws(Refusal) -> JSON {
        guard !path.parts.isEmpty else { throw Refusal(message: "\(verb): the whole document cannot be taken away") }
        let (value, cost) = try Self.visit(&document, path.parts[...], path, verb) { (parent, last) throws(Refusal) in
            switch parent {
            case .object(var members):
                guard let value = members[last] else { throw Self.missing(path, verb) }
                parent = .null
                members[last] = nil
                parent = .object(members)
                return (value, 0)
            case .array(var items):
                let index = try Self.index(last, upTo: items.count - 1, path, verb)
                parent = .null
                let value = items.remove(at: index)
                parent = .array(items)
                return (value, (items.count - index) / 256)
            default: throw Self.missing(path, verb)
            }
        }
        try spend(cost)
        return value
    }

    private mutating func replace(_ value: JSON, at path: JSONPointer) throws(Refusal) {
        try charge(value, depth: path.parts.count)
        guard !path.parts.isEmpty else {
            document = value
            return
        }
        try Self.visit(&document, path.parts[...], path, "replace") { (parent, last) throws(Refusal) in
            switch parent {
            case .object(var members):
                guard members[last] != nil else { throw Self.missing(path, "replace") }
                parent = .null
                members[last] = value
                parent = .object(members)
            case .array(var items):
                let index = try Self.index(last, upTo: items.count - 1, path, "replace")
                parent = .null
                items[index] = value
                parent = .array(items)
            default: throw Self.missing(path, "replace")
            }
        }
    }

    private func value(at path: JSONPointer, as verb: String) throws(Refusal) -> JSON {
        var value = document
        for part in path.parts {
            switch value {
            case .object(let members):
                guard let member = members[part] else { throw Self.missing(path, verb) }
                value = member
            case .array(let items): value = items[try Self.index(part, upTo: items.count - 1, path, verb)]
            default: throw Self.missing(path, verb)
            }
        }
        return value
    }

    /// Changes the container of the place that `parts` lead to, in place.
    private static func visit<Result>(
        _ value: inout JSON, _ parts: ArraySlice<String>, _ path: JSONPointer, _ verb: String,
        _ change: (inout JSON, String) throws(Refusal) -> Result
    ) throws(Refusal) -> Result {
        guard let part = parts.first else { throw missing(path, verb) }
        guard parts.count > 1 else { return try change(&value, part) }
        switch value {
        case .object(var members):
            guard var member = members[part] else { throw missing(path, verb) }
            value = .null  // one reference each, so that nothing is copied on the way
            members[part] = .null
            defer {
                members[part] = member
                value = .object(members)
            }
            return try visit(&member, parts.dropFirst(), path, verb, change)
        case .array(var items):
            let index = try index(part, upTo: items.count - 1, path, verb)
            value = .null
            var item = items[index]
            items[index] = .null
            defer {
                items[index] = item
                value = .array(items)
            }
            return try visit(&item, parts.dropFirst(), path, verb, change)
        default: throw missing(path, verb)
        }
    }

    /// An index without a sign or leading zeros.
    private static func index(_ part: String, upTo last: Int, _ path: JSONPointer, _ verb: String) throws(Refusal) -> Int {
        guard part.utf8.allSatisfy({ (48...57).contains($0) }), part == "0" || !part.hasPrefix("0"), let index = Int(part) else {
            throw Refusal(message: "\(verb): \"\(part.prefix(100))\" in \(name(path)) is no index of an array")
        }
        guard index <= last else { throw missing(path, verb) }
        return index
    }

    private static func missing(_ path: JSONPointer, _ verb: String) -> Refusal {
        Refusal(message: "\(verb): there is no \(name(path))")
    }

    private static func name(_ path: JSONPointer) -> String {
        path.parts.isEmpty ? "the whole document" : String(path.description.prefix(200))
    }

    // MARK: Limits

    private mutating func charge(_ value: JSON, depth: Int) throws(Refusal) {
        guard depth < Self.depthMax else { throw Refusal(kind: .tooLarge, message: "nests deeper than \(Self.depthMax) levels") }
        try spend(1)
        switch value {
        case .object(let members): for member in members.values { try charge(member, depth: depth + 1) }
        case .array(let items): for item in items { try charge(item, depth: depth + 1) }
        case .string(let text): try spend(text.utf8.count / 64)
        default: break
        }
    }

    private mutating func spend(_ cost: Int) throws(Refusal) {
        room -= cost
        guard room >= 0 else { throw Refusal(kind: .tooLarge, message: "makes too much of the document") }
    }
}

extension JSON {
    /// Equality as RFC 6902 has it: numbers are equal when their values are.
    fileprivate func isEqual(to other: JSON) -> Bool {
        switch (self, other) {
        case (.integer(let left), .number(let right)), (.number(let right), .integer(let left)): Double(left) == right
        case (.array(let left), .array(let right)): left.count == right.count && zip(left, right).allSatisfy { $0.isEqual(to: $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count && left.allSatisfy { key, value in right[key].map { value.isEqual(to: $0) } ?? false }
        default: self == other
        }
    }
}
