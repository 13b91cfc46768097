public import Glibc

/// Names of readdir(3), read where they stand.
///
/// A `dirent` as C declares it has 256 bytes for its name, and Swift copies all of them to look at the member; the record itself ends
/// behind the name, so that the copy of one at the end of the buffer reaches beyond it, which ends the process where the heap ends too.
public enum DirectoryStream {
    /// The name of an entry; bytes that are no UTF-8 are replaced, so that it may lead to no file.
    public static func name(of entry: UnsafeMutablePointer<dirent>) -> String { String(cString: start(of: entry)) }

    /// The name of an entry as it is; nil for `.` and `..`.
    public static func fileName(of entry: UnsafeMutablePointer<dirent>) -> FileName? {
        let start = UnsafeRawPointer(start(of: entry))
        let count = strlen(start.assumingMemoryBound(to: CChar.self))
        let name = FileName(Array(UnsafeRawBufferPointer(start: start, count: count)))
        return name.isFolderItself ? nil : name
    }

    private static func start(of entry: UnsafeMutablePointer<dirent>) -> UnsafePointer<CChar> {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        return UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
    }
}

/// A file's name in its folder: any bytes but `/` and NUL.
///
/// Linux knows no encoding of names, so that a name need not be text, and two names that are equal as texts may be two files.
public struct FileName: Sendable, Hashable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// To be shown; bytes that are no UTF-8 are replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    var isFolderItself: Bool { bytes == [UInt8(ascii: ".")] || bytes == [UInt8(ascii: "."), UInt8(ascii: ".")] }
}
