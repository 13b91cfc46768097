import Foundation
import JSONCoding

extension FuzzTarget {
    /// Documents: what is read is written and read again as the same, by each way of reading, and Foundation's parser has it the same.
    static let json = FuzzTarget(
        "json", bytesMax: 4096, words: ["null", "true", "false", "\\ud83d\\ude00", "\\u0000", "1e308", "-0.0", "9223372036854775807"]
    ) { input in
        try walkAnyText(input)
        var duplicates: [String] = []
        let lenient = Result { () throws(JSON.ParseError) in try JSON(parsing: input, duplicateFields: &duplicates) }
        let document: JSON
        do throws(JSON.ParseError) {
            document = try JSON(parsing: input)
        } catch {
            try checkRefusal(error, of: input, lenient, duplicates)
            return
        }
        try expect(duplicates.isEmpty, "no key is there twice, yet \(duplicates) are said to be")
        if case .success(let other) = lenient {
            try expect(other == document, "the reader that minds duplicates has \(document), the other \(other)")
        } else {
            throw FuzzFinding(description: "the reader that takes duplicates does not take \(document)")
        }
        try checkEncodings(document)
        try checkReader(document, input)
        try checkSelection(document)
        try checkFoundation(document, input)
    }

    private static func checkRefusal(
        _ error: JSON.ParseError, of input: [UInt8], _ lenient: Result<JSON, JSON.ParseError>, _ duplicates: [String]
    ) throws {
        if case .duplicateKey = error.reason {
            if case .success = lenient { try expect(!duplicates.isEmpty, "refused for a duplicate that is not named: \(error)") }
        } else if case .success(let document) = lenient {
            throw FuzzFinding(description: "taken with duplicates as \(document) but not without: \(error)")
        }
        if let offset = error.byteOffset {
            try expect((0...input.count).contains(offset), "the fault is at byte \(offset) of \(input.count)")
        }
        guard case .malformed = error.reason, isPlain(input), !hasTrailingComma(input) else { return }
        let theirs: Any
        do { theirs = try JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed) } catch { return }
        throw FuzzFinding(description: "refused (\(error)), yet Foundation reads \(theirs)")
    }

    private static func checkEncodings(_ document: JSON) throws {
        let compact = document.encoded()
        let again = try JSON(parsing: compact)
        try expect(again == document, "\(document) is read back as \(again)")
        try expect(again.encoded() == compact, "the same document has two spellings: \(document)")
        try expect(try JSON(parsing: document.prettyEncoded()) == document, "the indented spelling of \(document) is another document")
        try expect(try document.decode(JSON.self) == document, "decoding changes \(document)")
        try expect(try JSON(encoding: document) == document, "encoding changes \(document)")
    }

    /// The reader in place has what the tree has.
    private static func checkReader(_ document: JSON, _ input: [UInt8]) throws {
        let read = try JSON.reading(input) { reader throws(FuzzFinding) in try compare(&reader, document) }
        try read.get()
    }

    /// What is selected of any text lies within it, if it is found at all.
    private static func walkAnyText(_ input: [UInt8]) throws {
        let selection = MemberSelection([["a"], ["a", "b"], ["b"], ["metadata", "name"]])
        do throws(JSON.ParseError) {
            try selection.withValues(ofEncoded: input) { values throws(JSON.ParseError) in
                for path in 0..<4 { _ = try values.value(path) }
            }
        } catch {
            try expect((0...input.count).contains(error.byteOffset ?? 0), "a fault beyond the text: \(error)")
        }
    }

    /// Members that are found in the text of an object are those of its tree.
    private static func checkSelection(_ document: JSON) throws {
        guard case .object(let members) = document else { return }
        var paths = [["no such member"]]
        for (key, value) in members.sorted(by: { $0.key < $1.key }).prefix(6) {
            paths.append([key])
            if case .object(let inner) = value, let first = inner.keys.min() { paths.append([key, first]) }
        }
        let selection = MemberSelection(paths)
        let found = try selection.withValues(ofEncoded: document.encoded()) { values throws(JSON.ParseError) in
            var found: [JSON?] = []
            for path in paths.indices { found.append(try values.value(path)) }
            return found
        }
        try expect(found == selection.values(of: document), "in the text of \(document) these are found: \(found)")
    }

    private static func compare(_ reader: inout DocumentReader, _ document: JSON) throws(FuzzFinding) {
        switch document {
        case .null: try expect(reader.kind == .null, "the reader in place finds \(reader.kind) for null")
        case .bool: try expect(reader.kind == .boolean, "the reader in place finds \(reader.kind) for a boolean")
        case .number: try expect(reader.kind == .number, "the reader in place finds \(reader.kind) for a number")
        case .integer(let value):
            let found = reader.integer()
            try expect(found == value, "the reader in place finds \(String(describing: found)) for \(value)")
            return
        case .string(let text):
            let found = reader.string()
            try expect(found == text, "the reader in place finds \(String(describing: found)) for \(text.debugDescription)")
            return
        case .array(let items):
            var index = 0
            let isArray = try reader.array { element throws(FuzzFinding) in
                try expect(index < items.count, "the reader in place finds more than \(items.count) elements")
                try compare(&element, items[index])
                index += 1
            }
            try expect(isArray && index == items.count, "the reader in place finds \(index) of \(items.count) elements")
            return
        case .object(let members):
            var count = 0
            let isObject = try reader.object { key, value throws(FuzzFinding) in
                guard let member = members[key] else { throw FuzzFinding(description: "the reader in place finds \(key)") }
                try compare(&value, member)
                count += 1
            }
            try expect(isObject && count == members.count, "the reader in place finds \(count) of \(members.count) members")
            return
        }
        reader.skip()
    }

    private static func checkFoundation(_ document: JSON, _ input: [UInt8]) throws {
        guard isPlain(input) else { return }
        let theirs: Any
        do {
            theirs = try JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)
        } catch {
            throw FuzzFinding(description: "read as \(document), yet Foundation refuses it: \(error)")
        }
        try expect(isSame(document, theirs), "read as \(document), yet Foundation reads \(theirs)")
    }

    private static func isSame(_ ours: JSON, _ theirs: Any) -> Bool {
        switch ours {
        case .null: theirs is NSNull
        case .bool(let value): (theirs as? NSNumber)?.boolValue == value
        case .integer(let value): (theirs as? NSNumber).map { $0.int64Value == value || $0.doubleValue == Double(value) } ?? false
        case .number(let value): (theirs as? NSNumber)?.doubleValue == value
        case .string(let text): (theirs as? String) == text
        case .array(let items):
            (theirs as? [Any]).map { $0.count == items.count && zip(items, $0).allSatisfy { isSame($0, $1) } } ?? false
        case .object(let members):
            (theirs as? [String: Any]).map { other in
                other.count == members.count && members.allSatisfy { key, value in other[key].map { isSame(value, $0) } ?? false }
            } ?? false
        }
    }

    /// Foundation takes a comma behind the last element or member.
    private static func hasTrailingComma(_ input: [UInt8]) -> Bool {
        let tokens = input.filter { !" \t\r\n".utf8.contains($0) }
        return zip(tokens, tokens.dropFirst()).contains { $0 == UInt8(ascii: ",") && "]}".utf8.contains($1) }
    }

    /// Whether both parsers mean to read it alike: Foundation guesses other encodings than UTF-8, and has other limits of numbers.
    private static func isPlain(_ input: [UInt8]) -> Bool {
        guard String(validating: input, as: UTF8.self) != nil, !input.contains(0), !input.starts(with: [0xEF, 0xBB, 0xBF]) else {
            return false
        }
        var digits = 0
        for byte in input {
            digits = (48...57).contains(byte) ? digits + 1 : 0
            if digits > 15 { return false }
        }
        return !input.contains { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") } || !input.contains { (48...57).contains($0) }
    }
}
