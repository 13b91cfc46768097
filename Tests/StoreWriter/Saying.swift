import Glibc
import Model
import ResourceStore

/// One write(2) a line: nothing waits in a buffer when the kill comes.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = Glibc.write(1, bytes, bytes.count)
}

/// About a kilobyte, encoded by hand.
func plainObject(_ name: String, padding: Int = 900) -> EncodedObject {
    let bytes =
        "{\"metadata\":{\"name\":\"\(name)\",\"uid\":\"\(name)\"},\"spec\":{\"text\":\"\(String(repeating: "x", count: padding))\"}}"
    return EncodedObject(
        key: ObjectKey(plural: "diagnoses", namespace: "kubediag", name: name), uid: UID(name), labels: [:], fields: [:],
        bytes: Array(bytes.utf8),
        resourceVersionOffset: 13)
}
