import JSONCoding

/// JSON that is written member by member.
struct JSONLine {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    init() { bytes.reserveCapacity(1024) }

    mutating func object(_ name: StaticString? = nil, _ members: (inout JSONLine) -> Void) {
        if let name { key(name) }
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
        members(&self)
        bytes.append(UInt8(ascii: "}"))
        isFirst = false
    }

    mutating func array<Element>(_ name: StaticString, _ elements: [Element], _ write: (inout JSONLine, Element) -> Void) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        isFirst = true
        for element in elements {
            separate()
            write(&self, element)
        }
        bytes.append(UInt8(ascii: "]"))
        isFirst = false
    }

    mutating func string(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        JSON.append(string: value, to: &bytes)
    }

    /// A member whose value is JSON already.
    mutating func json(_ name: StaticString, _ value: [UInt8]?) {
        guard let value else { return }
        key(name)
        bytes += value
    }

    mutating func flag(_ name: StaticString, _ value: Bool?) {
        guard let value else { return }
        key(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    mutating func number(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        key(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func strings(_ name: StaticString, _ values: [String: String]) {
        object(name) { line in
            for (name, value) in values {
                line.separate()
                JSON.append(string: name, to: &line.bytes)
                line.bytes.append(UInt8(ascii: ":"))
                JSON.append(string: value, to: &line.bytes)
            }
        }
    }

    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func separate() {
        if isFirst { isFirst = false } else { bytes.append(UInt8(ascii: ",")) }
    }
}
