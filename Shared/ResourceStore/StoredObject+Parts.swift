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

    /// What is selected of the object, without building the rest; `metadata.resourceVersion` is not there. Throws `.corrupt` when the bytes
    /// are no JSON.
    public func values(_ selection: MemberSelection) throws(StoreError) -> [JSON?] {
        do {
            return try selection.values(parsing: bytes)
        } catch {
            throw .corrupt("\(key): \(error)")
        }
    }

    /// Behind the brace that closes `metadata`; nil where there is none. The bytes are JSON, so braces count unless they stand in a string.
    private var metadataEnd: Int? {
        bytes.withUnsafeBufferPointer { bytes in
            var (index, depth) = (resourceVersionOffset, 1)
            while index < bytes.count {
                switch bytes[index] {
                case UInt8(ascii: "\""):
                    index += 1
                    while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                        index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                    }
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
}
