/// Where in a document a coder is: a chain of keys, cheap to extend and only spelled out for an error.
indirect enum CodingLocation: Sendable {
    case root
    case key(String, below: CodingLocation)
    case index(Int, below: CodingLocation)

    private var keys: [DocumentKey] {
        var keys: [DocumentKey] = []
        var location = self
        while true {
            switch location {
            case .root:
                return keys.reversed()
            case .key(let name, let parent):
                keys.append(DocumentKey(name))
                location = parent
            case .index(let index, let parent):
                keys.append(DocumentKey(index))
                location = parent
            }
        }
    }

    var codingPath: [any CodingKey] { keys }

    func appending(_ key: some CodingKey) -> CodingLocation { .key(key.stringValue, below: self) }
}

/// A key made from what a document holds: a member's name or an element's index.
struct DocumentKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }
    init(_ index: Int) {
        stringValue = String(index)
        intValue = index
    }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(intValue) }
}

extension Collection where Element == any CodingKey {
    /// The path as Kubernetes writes field paths: `spec.steps[2].name`; a name that is no plain word goes in brackets, as in
    /// `metadata.labels[app.kubernetes.io/name]`.
    var fieldPath: String {
        var path = ""
        for key in self {
            if let index = key.intValue, key is DocumentKey {
                path += "[\(index)]"
            } else if key.stringValue.utf8.allSatisfy(isPlain), !key.stringValue.isEmpty {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            } else {
                path += "[\(key.stringValue)]"
            }
        }
        return path
    }

    private func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"): true
        default: false
        }
    }
}
