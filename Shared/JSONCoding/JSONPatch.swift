/// A list of changes to a document (RFC 6902), all of which are made or none.
public struct JSONPatch: Sendable, Hashable {
    public enum Operation: Sendable, Hashable {
        case add(JSONPointer, JSON)
        case remove(JSONPointer)
        case replace(JSONPointer, JSON)
        case move(from: JSONPointer, to: JSONPointer)
        case copy(from: JSONPointer, to: JSONPointer)
        case test(JSONPointer, JSON)
    }

    /// Why a document is no patch, or a patch does not fit.
    public struct Fault: Error, Sendable, Hashable, CustomStringConvertible {
        public enum Kind: Sendable, Hashable {
            /// The document is no JSON Patch.
            case malformed
            /// It has more operations than are carried out, or they would make more of the document than may be.
            case tooLarge
            /// An operation's place is not there, or its test failed.
            case inapplicable
        }

        public let kind: Kind
        /// The operation, from 0; nil where the patch as a whole is meant.
        public let index: Int?
        public let message: String

        public var description: String {
            index.map { "JSON patch, operation \($0): \(message)" } ?? "JSON patch: \(message)"
        }
    }

    public let operations: [Operation]

    /// Operations that a patch has at most: kube-apiserver's limit.
    public static let operationsMax = 10_000

    /// Reads a patch; the fault names the first operation that is none.
    public init(_ json: JSON) throws(Fault) {
        guard case .array(let list) = json else {
            throw Fault(kind: .malformed, index: nil, message: "must be an array of operations, not \(json.kindDescription)")
        }
        guard list.count <= Self.operationsMax else {
            throw Fault(kind: .tooLarge, index: nil, message: "has \(list.count) operations; \(Self.operationsMax) are the most")
        }
        var operations: [Operation] = []
        operations.reserveCapacity(list.count)
        for (index, item) in list.enumerated() {
            do throws(JSONPointer.Fault) {
                operations.append(try Self.operation(item))
            } catch {
                throw Fault(kind: .malformed, index: index, message: error.description)
            }
        }
        self.operations = operations
    }

    private static func operation(_ json: JSON) throws(JSONPointer.Fault) -> Operation {
        guard case .object(let members) = json else { throw fault("must be an object, not \(json.kindDescription)") }
        guard let name = members["op"]?.stringValue else { throw fault("op is missing") }
        switch name {
        case "add": return .add(try pointer(members, "path"), try value(members))
        case "remove": return .remove(try pointer(members, "path"))
        case "replace": return .replace(try pointer(members, "path"), try value(members))
        case "move": return .move(from: try pointer(members, "from"), to: try pointer(members, "path"))
        case "copy": return .copy(from: try pointer(members, "from"), to: try pointer(members, "path"))
        case "test": return .test(try pointer(members, "path"), try value(members))
        default: throw fault("op is \"\(name)\"; it is one of add, remove, replace, move, copy, test")
        }
    }

    private static func pointer(_ members: [String: JSON], _ name: String) throws(JSONPointer.Fault) -> JSONPointer {
        guard case .string(let text)? = members[name] else { throw fault("\(name) is missing: a JSON pointer") }
        do {
            return try JSONPointer(text)
        } catch {
            throw fault("\(name) \"\(text.prefix(200))\": \(error)")
        }
    }

    private static func value(_ members: [String: JSON]) throws(JSONPointer.Fault) -> JSON {
        guard let value = members["value"] else { throw fault("value is missing") }
        return value
    }

    private static func fault(_ message: String) -> JSONPointer.Fault { JSONPointer.Fault(description: message) }
}
