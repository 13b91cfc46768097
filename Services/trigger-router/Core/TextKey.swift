/// A text by its bytes. Swift's own comparison would take canonically equivalent texts for the same; a pattern does not.
struct TextKey: Hashable, Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: TextKey, right: TextKey) -> Bool {
        left.text.utf8.count == right.text.utf8.count && left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        let isHashed: Void? = text.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        if isHashed == nil {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}
