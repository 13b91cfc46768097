/// What /proc/PID/status says of a process (proc_pid_status(5)). What a kernel doesn't tell is nil.
package struct ProcessStatus: Sendable, Equatable {
    package var name = ""
    package var state: ProcessStat.State = .other(0x3F)
    package var threadGroup: UInt64?
    package var pid: UInt64?
    package var parent: UInt64?
    /// Who traces it, such as a debugger; 0 for nobody.
    package var tracer: UInt64?
    /// The effective user and group.
    package var user: UInt64?
    package var group: UInt64?
    package var residentBytes: UInt64?
    package var swapBytes: UInt64?
    package var threads: UInt64?
    /// Slots for file descriptors, a power of two that is never less than the count of open ones.
    package var descriptorSlots: UInt64?
    package var effectiveCapabilities: UInt64?
    /// The pid in each pid namespace from the outermost.
    package var namespacePIDs: [UInt64] = []

    private static let namespacesMax = 64

    package init(_ bytes: [UInt8]) {
        for var line in Lines(bytes) {
            guard let key = line.text(before: 0x3A) else { continue }
            switch key {
            case "Name": name = line.rest
            case "State": if let letter = line.range(), !letter.isEmpty { state = ProcessStat.State(bytes[letter.lowerBound]) }
            case "Tgid": threadGroup = line.number()
            case "Pid": pid = line.number()
            case "PPid": parent = line.number()
            case "TracerPid": tracer = line.number()
            case "Uid": user = line.skip(1) ? line.number() : nil
            case "Gid": group = line.skip(1) ? line.number() : nil
            case "VmRSS": residentBytes = line.number()?.saturatingMultiply(1024)
            case "VmSwap": swapBytes = line.number()?.saturatingMultiply(1024)
            case "Threads": threads = line.number()
            case "FDSize": descriptorSlots = line.number()
            case "CapEff": effectiveCapabilities = line.hexadecimal()
            case "NSpid":
                while namespacePIDs.count < Self.namespacesMax, let pid = line.number() { namespacePIDs.append(pid) }
            default: continue
            }
        }
    }
}

/// What /proc/PID/limits says (proc_pid_limits(5)), read where it is asked for: of some hundred processes one limit is wanted.
package struct ProcessLimits: Sendable {
    package struct Limit: Sendable, Equatable {
        /// Nil for `unlimited`.
        package var soft: UInt64?
        package var hard: UInt64?
    }

    private let bytes: [UInt8]
    private let end: Int

    /// - Parameter end: where the text ends in the bytes; without it, where they do.
    package init(_ bytes: [UInt8], end: Int? = nil) {
        self.bytes = bytes
        self.end = end ?? bytes.count
    }

    /// By its name in the file, such as `Max open files`.
    package subscript(_ name: StaticString) -> Limit? {
        for var line in Lines(bytes, end: end) {
            guard line.pass(name), let first = line.range(), let soft = value(first), let second = line.range(), let hard = value(second)
            else { continue }
            return Limit(soft: soft, hard: hard)
        }
        return nil
    }

    /// Outer nil: no value; inner nil: unlimited.
    private func value(_ range: Range<Int>) -> UInt64?? {
        if bytes[range].elementsEqual("unlimited".utf8) { return .some(nil) }
        return Number.decimal(bytes, range).map { .some($0) }
    }
}

/// The functions that a task of the kernel's waits in, innermost first, from /proc/PID/stack.
package enum KernelStack {
    package static let framesMax = 64

    package static func functions(_ bytes: [UInt8]) -> [String] {
        var functions: [String] = []
        for var line in Lines(bytes) where functions.count < framesMax {
            guard line.starts(with: "[<"), line.skip(1), let frame = line.text() else { continue }
            functions.append(String(frame.prefix { $0 != "+" }))
        }
        return functions
    }
}
