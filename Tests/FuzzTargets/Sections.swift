/// An input of several parts, which stand between lines `%%`, so that a person can write and read it.
struct Sections {
    static let separator = "\n%%\n"
    private let parts: [ArraySlice<UInt8>]

    init(_ input: [UInt8]) {
        let separator = Array(Self.separator.utf8)
        var parts: [ArraySlice<UInt8>] = []
        var start = 0
        var index = 0
        while index + separator.count <= input.count {
            if input[index..<index + separator.count].elementsEqual(separator) {
                parts.append(input[start..<index])
                index += separator.count
                start = index
            } else {
                index += 1
            }
        }
        parts.append(input[start...])
        self.parts = parts
    }

    var count: Int { parts.count }

    /// A part; a missing one is empty.
    subscript(index: Int) -> [UInt8] { index < parts.count ? Array(parts[index]) : [] }

    /// A part as text; nil for what is not UTF-8, which no field that holds text lets in.
    func text(_ index: Int) -> String? { String(validating: self[index], as: UTF8.self) }
}
