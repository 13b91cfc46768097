import Glibc
import JSONCoding

extension StoredObject {
    /// Appends the JSON text of `metadata`, `resourceVersion` included, without building it as a value. Throws `.corrupt` where it has no end.
    public func appendMetadata(to result: inout [UInt8]) throws(StoreError) {
        guard let end = metadataEnd else { throw .corrupt("\(key): metadata has no end") }
        result += "{\"resourceVersion\":\"".utf8
        result += String(revision).utf8
        result += "\",".utf8
        result += bytes[resourceVersionOffset..<end]
    }

    /// Hands what is selected of the object to `body`, without building the rest; `metadata.resourceVersion` is not there. Throws `.corrupt`
    /// when the bytes are no JSON.
    public func withValues<Result>(
        _ selection: MemberSelection, _ body: (SelectedValues) throws(JSON.ParseError) -> Result
    ) throws(StoreError) -> Result {
        do {
            return try selection.withValues(parsing: bytes, body)
        } catch {
            throw .corrupt("\(key): \(error)")
        }
    }

    /// Behind the brace that closes `metadata`; nil where there is none. The bytes are JSON, so braces count unless they stand in a string.
    private var metadataEnd: Int? {
        bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return nil }
            var (index, depth) = (resourceVersionOffset, 1)
            while index < bytes.count {
                switch start[index] {
                case UInt8(ascii: "\""):
                    guard let end = Self.stringEnd(start, behind: index, bytes.count) else { return nil }
                    index = end
                case UInt8(ascii: "{"): depth += 1
                case UInt8(ascii: "}"):
                    depth -= 1
                    if depth == 0 { return index + 1 }
                default: break
                }
                index += 1
            }
            return nil
        }
    }

    /// The quote that closes the string whose opening one is at `index`: the first that has no odd number of backslashes before it.
    private static func stringEnd(_ start: UnsafePointer<UInt8>, behind index: Int, _ count: Int) -> Int? {
        var from = index + 1
        while from < count, let found = memchr(start + from, Int32(UInt8(ascii: "\"")), count - from) {
            let quote = UnsafeRawPointer(found) - UnsafeRawPointer(start)
            var first = quote
            while first > from, start[first - 1] == UInt8(ascii: "\\") { first -= 1 }
            if (quote - first).isMultiple(of: 2) { return quote }
            from = quote + 1
        }
        return nil
    }
}
