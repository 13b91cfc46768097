/// A mounted file system.
package struct Mount: Sendable, Equatable {
    package var point: String
    package var type: String
    /// The device or what the file system calls its source.
    package var source: String
    /// Of this mount.
    package var options: [String]
    /// Of the file system's superblock, which all its mounts share; empty in a text that doesn't tell.
    package var superOptions: [String] = []
    /// The folder of the file system that is mounted, `/` for all of it.
    package var root = "/"
    package var id: UInt64 = 0
    package var parent: UInt64 = 0
    /// `major:minor`.
    package var device = ""
    /// Tags such as `shared:1` and `master:2`.
    package var propagation: [String] = []

    package var isReadOnly: Bool { options.contains("ro") }
    /// The file system itself takes no writes, whatever a single mount of it says.
    package var isFileSystemReadOnly: Bool { superOptions.contains("ro") }
}

/// The mounts that a text lists, at most `mountsMax`; lines that are cut are left out.
package enum MountTable {
    package static let mountsMax = 65_536

    /// /proc/PID/mountinfo (proc_pid_mountinfo(5)).
    package static func mountInfo(_ bytes: [UInt8]) -> [Mount] {
        var mounts: [Mount] = []
        for var line in Lines(bytes) where mounts.count < mountsMax {
            guard let id = line.number(), let parent = line.number(), let device = line.text(), let root = path(&line),
                let point = path(&line), let options = line.text()
            else { continue }
            var tags: [String] = []
            var isSeparated = false
            while tags.count < 64, let tag = line.text() {
                if tag == "-" {
                    isSeparated = true
                    break
                }
                tags.append(tag)
            }
            guard isSeparated, let type = line.text(), let source = path(&line) else { continue }
            mounts.append(
                Mount(
                    point: point, type: type, source: source, options: list(options), superOptions: list(line.text() ?? ""), root: root,
                    id: id, parent: parent, device: device, propagation: tags))
        }
        return mounts
    }

    /// /proc/mounts or another table in the form of fstab(5).
    package static func mounts(_ bytes: [UInt8]) -> [Mount] {
        var mounts: [Mount] = []
        for var line in Lines(bytes) where mounts.count < mountsMax {
            // A number sign that belongs to a source is escaped.
            guard let source = line.range(), bytes[source.lowerBound] != 0x23, let point = path(&line), let type = line.text(),
                let options = line.text()
            else { continue }
            mounts.append(Mount(point: point, type: type, source: unescape(bytes, source), options: list(options)))
        }
        return mounts
    }

    /// A path with the bytes that the kernel wrote as a backslash and three octal digits.
    static func unescape(_ bytes: [UInt8], _ range: Range<Int>) -> String {
        guard bytes[range].contains(0x5C) else { return String(decoding: bytes[range], as: UTF8.self) }
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == 0x5C, index + 3 < range.upperBound, let byte = octal(bytes[(index + 1)...(index + 3)]) {
                plain.append(byte)
                index += 4
            } else {
                plain.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func octal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        var value = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit) else { return nil }
            value = value * 8 + Int(digit - 0x30)
        }
        return UInt8(exactly: value)
    }

    private static func path(_ line: inout Fields) -> String? {
        line.range().map { unescape(line.bytes, $0) }
    }

    private static func list(_ options: String) -> [String] { options.split(separator: ",").map(String.init) }
}
