import HTTPClient
import Model

/// Fetches one file: as a part beside its name first, which a later try goes on with, and which gets its name once its digest is right.
///
/// The part begins with a point, as no file of a list may: none can be another's part.
struct EvidenceDownload: Sendable {
    private static let attemptsMax = 3

    let connection: Connection
    let list: EvidenceList
    let file: EvidenceList.File
    let folder: DownloadFolder

    enum Result: String, CustomStringConvertible {
        case fetched = "fetched"
        case present = "there already"

        var description: String { rawValue }
    }

    func perform() async throws -> Result {
        guard let name = DownloadFolder.name(of: file.ref) else {
            throw CommandFailure("the server calls a file \"\(file.ref)\", which is no name to write to; it is left out")
        }
        if let present = try folder.existing(name) {
            if try present.digest() == file.sha256 { return .present }
            throw CommandFailure(
                "\(present.path) is there already and is another file; it is left alone",
                hints: ["Move it away, or give another folder: -o DIR"])
        }
        let partName = ".\(name).part"
        let part = try folder.part(partName)
        // Without a digest nobody could tell whether the rest fits.
        if file.sha256 == nil { try part.truncate() }
        var attempt = 1
        while true {
            do {
                try await fetch(into: part)
                break
            } catch is TransferBreak where attempt < Self.attemptsMax {
                attempt += 1
            } catch let failure as TransferBreak {
                throw failure.failure
            }
        }
        try folder.finish(partName, as: name)
        return .fetched
    }

    /// A transfer that ended before the file did.
    private struct TransferBreak: Error {
        let failure: CommandFailure
    }

    private func fetch(into part: LocalFile) async throws {
        if part.bytes > file.bytes { try part.truncate() }
        if part.bytes < file.bytes || file.bytes == 0 { try await receive(part) }
        guard part.bytes == file.bytes else {
            let failure = CommandFailure("\(part.path) has \(part.bytes) bytes of \(file.bytes): the transfer broke off")
            throw TransferBreak(failure: failure)
        }
        guard let expected = file.sha256, try part.digest() != expected else { return }
        try part.truncate()
        let failure = CommandFailure(
            "\(file.ref) is not what the list says: its digest differs", hints: ["It may have been changed on \(list.node)."])
        throw TransferBreak(failure: failure)
    }

    private func receive(_ part: LocalFile) async throws {
        var request = try connection.request(.get, EvidenceList.path(list.uid, file.ref), accept: "*/*")
        request.retry = .none
        let before = part.bytes
        if before > 0 { request.headers.set("Range", "bytes=\(before)-") }
        do {
            let stream = try await connection.http.stream(request)
            if stream.status == 416 {
                stream.cancel()
                try part.truncate()
                throw CommandFailure("\(file.ref) is shorter than the \(file.bytes) bytes that the list says")
            }
            guard stream.status == 200 || stream.status == 206 else {
                throw ServerRefusal(
                    error: Connection.apiError(stream.status, try await stream.collect(bytesMax: 1 << 20)), address: connection.server,
                    tokenFile: connection.tokenFile)
            }
            if stream.status == 200 {
                try part.truncate()
            } else if stream.headers["Content-Range"]?.hasPrefix("bytes \(before)-") != true {
                stream.cancel()
                throw CommandFailure("\(file.ref): the server sends another part than it was asked for")
            }
            for try await chunk in stream.chunks {
                guard part.bytes + Int64(chunk.count) <= file.bytes else {
                    stream.cancel()
                    try part.truncate()
                    throw CommandFailure("\(file.ref) is longer than the \(file.bytes) bytes that the list says")
                }
                try part.append(chunk)
            }
        } catch let error as HTTPClientError {
            throw TransferBreak(failure: connection.unreachable(error, .router))
        }
    }
}
