internal import CSpawn
import DirectoryEntries
import Glibc

/// Reads of proc(5).
enum ProcFS {
    struct Stat {
        var state: UInt8
        var parent: Int32
        var group: Int32
        var startTicks: UInt64
    }

    static let bootID: String = {
        let text = String(decoding: read("/proc/sys/kernel/random/boot_id") ?? [], as: UTF8.self)
        return text.isEmpty ? "-" : String(text.prefix { $0 != "\n" })
    }()

    /// The content of a file of at most `bytesMax`, nil when it can't be read.
    static func read(_ path: String, bytesMax: Int = 1 << 20) -> [UInt8]? {
        let fd = cspawn_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var content: [UInt8] = []
        let chunk = 4096
        while content.count < bytesMax {
            let old = content.count
            content.append(contentsOf: repeatElement(0, count: chunk))
            let count = content.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress.map { $0 + old }, chunk) }
            content.removeLast(chunk - max(count, 0))
            if count < 0 { return nil }
            if count == 0 { break }
        }
        return content
    }

    static func stat(_ pid: Int32) -> Stat? {
        guard let text = read("/proc/\(pid)/stat") else { return nil }
        // The name is in parentheses and may itself contain spaces and parentheses.
        guard let end = text.lastIndex(of: UInt8(ascii: ")")), end + 2 < text.count else { return nil }
        let fields = String(decoding: text[(end + 2)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, let parent = Int32(fields[1]), let group = Int32(fields[2]), let ticks = UInt64(fields[19]),
            let state = fields[0].utf8.first
        else { return nil }
        return Stat(state: state, parent: parent, group: group, startTicks: ticks)
    }

    static func processIDs() -> [Int32] { names(in: "/proc").compactMap(Int32.init) }

    /// Children of one thread, nil where the kernel doesn't offer the list.
    static func children(of pid: Int32, thread: Int32) -> [Int32]? {
        guard let text = read("/proc/\(pid)/task/\(thread)/children") else { return nil }
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    }

    static func children(of pid: Int32) -> [Int32] {
        names(in: "/proc/\(pid)/task").compactMap(Int32.init).flatMap { children(of: pid, thread: $0) ?? [] }
    }

    /// All processes below one, itself left out.
    static func descendants(of pid: Int32) -> [Int32] {
        var found: [Int32] = []
        var open = children(of: pid)
        while let next = open.popLast(), found.count < 65_536 {
            found.append(next)
            open += children(of: next)
        }
        return found
    }

    /// The value of a variable in the environment that a process was started with.
    static func variable(_ name: String, of pid: Int32) -> String? {
        guard let environment = read("/proc/\(pid)/environ", bytesMax: 4 << 20) else { return nil }
        let wanted = Array("\(name)=".utf8)
        for entry in environment.split(separator: 0) where entry.starts(with: wanted) {
            return String(decoding: entry.dropFirst(wanted.count), as: UTF8.self)
        }
        return nil
    }

    static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(DirectoryStream.name(of: entry))
        }
        return names
    }
}
