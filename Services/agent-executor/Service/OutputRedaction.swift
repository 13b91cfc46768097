import AgentExecutorCore
import Glibc
import JSONCoding
import ProcessRunner
import Redaction

/// Takes the secrets out of what a step put out, before anything is made of it: results, messages, digests, files.
struct OutputRedaction: Sendable {
    /// What of a stream is kept in memory, as the runner keeps it.
    static let headBytesMax = 32 * 1024
    static let tailBytesMax = 1024
    private static let chunkBytes = 256 * 1024
    /// More than this is not looked at on a thread that others wait for.
    static let inlineBytesMax = 64 * 1024

    let redactor: Redactor
    /// Runs what blocks.
    let disk: SerialThread
    let metrics: AgentMetrics

    /// A stream without its secrets, and how many there were; nil for what is no text.
    struct Stream: Sendable {
        var output: CapturedOutput
        var redactions: Int?
        /// What kept its file from being written anew; the file is gone then.
        var fault: DiskFault?

        var isBinary: Bool { redactions == nil }
    }

    /// - Parameter path: of the stream's file, if it has one.
    func clean(_ output: CapturedOutput, path: String) async -> Stream {
        guard output.totalBytes > 0 else { return Stream(output: output, redactions: 0) }
        guard !EvidenceContentType.isBinary(output.head) else { return Stream(output: output) }
        let (redactor, isShort) = (redactor, output.isComplete && output.bytes.count <= Self.inlineBytesMax && output.fileBytes == 0)
        let (stream, counts) = isShort ? Self.clean(output, path, redactor) : await disk.perform { Self.clean(output, path, redactor) }
        metrics.redacted(counts)
        return stream
    }

    private static func clean(_ output: CapturedOutput, _ path: String, _ redactor: Redactor) -> (Stream, Redactor.Counts) {
        if !output.isComplete, output.fileBytes > 0 { return cleanFile(output, path, redactor) }
        var (head, counts) = redactor.redacted(document: output.isComplete ? output.bytes : output.head, isCut: !output.isComplete)
        guard output.isComplete else {
            // A secret may have begun in what was left out: the tail counts from its first whole line.
            let lines = output.tail.firstIndex(of: 0x0A).map { Array(output.tail[($0 + 1)...]) } ?? []
            let (tail, more) = redactor.redacted(lines)
            counts.add(more)
            let total = max(output.totalBytes, Int64(head.count + tail.count) + 1)
            return (
                Stream(output: CapturedOutput(head: head, tail: tail, totalBytes: total, fileBytes: 0), redactions: counts.total), counts
            )
        }
        guard counts.total > 0 else { return (Stream(output: output, redactions: 0), counts) }
        var fault: DiskFault?
        if output.fileBytes > 0 {
            do throws(DiskFault) {
                try EvidenceStore.write(head, to: path)
            } catch {
                fault = error
                unlink(path)
            }
        }
        let bytes = Int64(head.count)
        let clean = CapturedOutput(head: head, totalBytes: bytes, fileBytes: output.fileBytes > 0 && fault == nil ? bytes : 0)
        head = []
        return (Stream(output: clean, redactions: counts.total, fault: fault), counts)
    }

    /// A file that is no longer than a document may be is read whole, for what its structure tells; a longer one is read by its lines. Only one
    /// that holds a secret is written anew, beside it, and takes its place.
    private static func cleanFile(_ output: CapturedOutput, _ path: String, _ redactor: Redactor) -> (Stream, Redactor.Counts) {
        let isCut = output.fileBytes < output.totalBytes
        do throws(DiskFault) {
            let isDocument = output.fileBytes <= Int64(Redactor.documentBytesMax)
            let found = isDocument ? try document(path, redactor, isCut: isCut) : try lines(path, redactor, isCut: isCut)
            let omitted = output.totalBytes - output.fileBytes
            let clean = CapturedOutput(head: found.head, tail: found.tail, totalBytes: found.bytes + omitted, fileBytes: found.bytes)
            return (Stream(output: clean, redactions: found.counts.total), found.counts)
        } catch {
            // What could not be cleaned must not stay.
            unlink(path)
            let head = redactor.redacted(document: output.head, isCut: true)
            let clean = CapturedOutput(head: head.bytes, totalBytes: max(output.totalBytes, Int64(head.bytes.count) + 1), fileBytes: 0)
            return (Stream(output: clean, redactions: head.counts.total, fault: error), head.counts)
        }
    }

    private struct Pass {
        var head: [UInt8] = []
        var tail: [UInt8] = []
        var bytes: Int64 = 0
        var counts = Redactor.Counts()

        mutating func append(_ clean: [UInt8]) {
            head += clean.prefix(headBytesMax - head.count)
            let beyond = clean.suffix(Int(min(Int64(clean.count), bytes + Int64(clean.count) - Int64(headBytesMax)).clampedToZero))
            tail = Array((tail + beyond).suffix(tailBytesMax))
            bytes += Int64(clean.count)
        }
    }

    private static func document(_ path: String, _ redactor: Redactor, isCut: Bool) throws(DiskFault) -> Pass {
        var text: [UInt8] = []
        try read(path) { (bytes: ArraySlice<UInt8>) throws(DiskFault) in text += bytes }
        let (clean, counts) = redactor.redacted(document: text, isCut: isCut)
        if counts.total > 0 || isCut {
            try replace(path) { (file: FreshFile) throws(DiskFault) in try file.write(clean) }
        }
        var pass = Pass(counts: counts)
        pass.append(clean)
        return pass
    }

    private static func lines(_ path: String, _ redactor: Redactor, isCut: Bool) throws(DiskFault) -> Pass {
        let found = try pass(path, redactor, isCut: isCut) { (_: [UInt8]) throws(DiskFault) in }
        guard found.counts.total > 0 || isCut else { return found }
        try replace(path) { (file: FreshFile) throws(DiskFault) in
            _ = try pass(path, redactor, isCut: isCut) { (bytes: [UInt8]) throws(DiskFault) in try file.write(bytes) }
        }
        return found
    }

    private static func replace(_ path: String, _ write: (FreshFile) throws(DiskFault) -> Void) throws(DiskFault) {
        let fresh = path + ".redacted"
        let file = try FreshFile(fresh)
        do throws(DiskFault) {
            try write(file)
            guard rename(fresh, path) == 0 else { throw DiskFault(path, errno) }
        } catch {
            unlink(fresh)
            throw error
        }
    }

    /// Hands a file over in pieces, and an empty one at its end.
    private static func read(_ path: String, _ take: (ArraySlice<UInt8>) throws(DiskFault) -> Void) throws(DiskFault) {
        let fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard fd >= 0 else { throw DiskFault(path, errno) }
        defer { close(fd) }
        var buffer = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = Glibc.read(fd, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw DiskFault(path, errno) }
            try take(buffer[..<count])
            if count == 0 { return }
        }
    }

    private static func pass(
        _ path: String, _ redactor: Redactor, isCut: Bool, _ take: ([UInt8]) throws(DiskFault) -> Void
    ) throws(DiskFault) -> Pass {
        var pass = Pass()
        var stream = RedactionStream(redactor)
        try read(path) { (bytes: ArraySlice<UInt8>) throws(DiskFault) in
            let clean = bytes.isEmpty ? stream.finish(isCut: isCut) : stream.append(bytes)
            pass.append(clean)
            try take(clean)
        }
        pass.counts = stream.counts
        return pass
    }

    // MARK: Values and messages

    /// A message without its secrets.
    func clean(_ message: String) -> String {
        let (clean, counts) = redactor.redacted(message)
        metrics.redacted(counts)
        return clean
    }

    /// The members of an answer without their secrets, each with how many it had.
    func clean(_ members: [String: JSON]) async -> [String: (value: JSON, redactions: Int)] {
        let redactor = redactor
        let clean = { @Sendable in redactor.redacted(members: members) }
        let bytes = members.reduce(0) { $0 + Self.size($1.value) }
        let found = bytes <= Self.inlineBytesMax ? clean() : await disk.perform(clean)
        for member in found.values { metrics.redacted(member.counts) }
        return found.mapValues { ($0.value, $0.counts.total) }
    }

    /// About how much text a value is.
    private static func size(_ value: JSON) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .array(let items): items.reduce(2) { $0 + size($1) }
        case .object(let members): members.reduce(2) { $0 + $1.key.utf8.count + size($1.value) }
        default: 8
        }
    }

    /// The last gate before an execution's results and messages leave it.
    func clean(_ execution: StepExecutor.Execution) -> StepExecutor.Execution {
        var execution = execution
        var counts = Redactor.Counts()
        func clean(_ text: String) -> String {
            let (clean, found) = redactor.redacted(text)
            counts.add(found)
            return clean
        }
        func clean(_ results: [StepResult]) -> [StepResult] {
            var keys: Set<String> = []
            return results.map { result in
                // What a key holds is replaced as in a text; two that are the same by then stay two.
                let key = redactor.redactedKey(result.key, &counts).map { Redactor.free($0) { keys.contains($0) } } ?? result.key
                keys.insert(key)
                return StepResult(key: key, text: clean(result.text), whole: result.whole, isComplete: result.isComplete)
            }
        }
        func clean(_ fault: StepFault) -> StepFault { StepFault(fault.reason, clean(fault.message)) }
        switch execution.end {
        case .found(let results): execution.end = .found(clean(results))
        case .ruledOut(let results, let fault): execution.end = .ruledOut(clean(results), clean(fault))
        case .failed(let results, let fault): execution.end = .failed(clean(results), clean(fault))
        }
        metrics.redacted(counts)
        let total = execution.redactions + counts.total
        guard total > 0 else { return execution }
        var told = total == 1 ? "1 secret was redacted" : "\(total) secrets were redacted"
        let skipped = execution.evidence.count { $0.redactions == nil }
        if skipped > 0 { told += ", but \(skipped == 1 ? "1 file is" : "\(skipped) files are") no text and not searched" }
        execution.note = execution.note.map { "\($0); \(told)" } ?? told
        return execution
    }
}

extension Int64 {
    fileprivate var clampedToZero: Int64 { Swift.max(0, self) }
}

/// A new file; whatever had its name before is unlinked, never written through.
final class FreshFile {
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws(DiskFault) {
        unlink(path)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskFault(path, errno) }
        self.path = path
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws(DiskFault) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw DiskFault(path, errno) }
            offset += count
        }
    }
}
