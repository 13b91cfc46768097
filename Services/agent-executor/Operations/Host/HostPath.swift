public import DirectoryEntries

/// An absolute path of the machine, in bytes: what a folder holds need not have a name that is text.
public struct HostPath: Sendable, Hashable, Comparable {
    /// With the NUL that ends them for the kernel.
    private let terminated: [UInt8]

    /// - Parameter text: begins with `/`.
    public init(_ text: String) {
        precondition(text.utf8.first == UInt8(ascii: "/"), "a path of the machine begins with /")
        terminated = Array(text.utf8) + [0]
    }

    private init(bytes: some Collection<UInt8>) { terminated = Array(bytes) + [0] }

    public var bytes: ArraySlice<UInt8> { terminated.dropLast() }
    /// To be shown; bytes that are no UTF-8 are replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The path of a file in this folder.
    public func appending(_ name: FileName) -> HostPath {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(terminated.count + name.bytes.count + 1)
        bytes += self.bytes
        if bytes.last != Self.slash { bytes.append(Self.slash) }
        bytes += name.bytes
        return HostPath(bytes: bytes)
    }

    /// The folder that it is in; nil of `/`.
    public var parent: HostPath? { bytes.count > 1 ? split.folder : nil }

    public func isBelow(_ folder: HostPath) -> Bool {
        guard bytes.starts(with: folder.bytes), bytes.count > folder.bytes.count else { return false }
        return folder.bytes.last == Self.slash || terminated[folder.bytes.count] == Self.slash
    }

    public static func < (one: HostPath, other: HostPath) -> Bool { one.bytes.lexicographicallyPrecedes(other.bytes) }

    /// The last part; `.` where the path ends with `/`.
    public var name: FileName { split.name }

    /// The folder, and the name in it, which is `.` where the path ends with `/`.
    var split: (folder: HostPath, name: FileName) {
        let slash = bytes.lastIndex(of: Self.slash) ?? 0
        let name = bytes[(slash + 1)...]
        return (HostPath(bytes: bytes[..<max(slash, 1)]), name.isEmpty ? FileName([UInt8(ascii: ".")]) : FileName(Array(name)))
    }

    func withCString<Value>(_ body: (UnsafePointer<CChar>) -> Value) -> Value { Self.withCString(terminated, body) }

    static func withCString<Value>(_ terminated: [UInt8], _ body: (UnsafePointer<CChar>) -> Value) -> Value {
        terminated.withUnsafeBytes { bytes in
            body(bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self))
        }
    }

    private static let slash = UInt8(ascii: "/")
}
