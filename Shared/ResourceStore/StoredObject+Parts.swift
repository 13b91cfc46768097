import JSONCoding

extension StoredObject {
    /// Appends the JSON text of `metadata`, `resourceVersion` included, without building it as a value.
    ///
    /// - Parameter end: behind the brace that closes it.
    public func appendMetadata(endingAt end: Int, to result: inout [UInt8]) {
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
            return try selection.withValues(ofEncoded: bytes, body)
        } catch {
            throw .corrupt("\(key): \(error)")
        }
    }
}
