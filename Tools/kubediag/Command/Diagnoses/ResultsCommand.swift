import ArgumentParser
import HTTPClient
import HTTPMessage
import JSONCoding
import Model

struct ResultsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results", abstract: "Show everything that a diagnosis found.",
        discussion: """
            Results that are too large to be kept with the diagnosis are fetched from the agent that has them. A node that is
            away is said, and what is kept here is shown.

              kubediag results disk-full-web-07-k2m8
              kubediag results disk-full-web-07-k2m8 --key operation.top.output > top.txt
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the diagnosis.") var name: String
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Option(help: "Only this result, as it is, without a title.") var key: String?
    @Option(name: .shortAndLong, help: "table or json: json prints what is kept with the diagnosis.") var output: OutputFormat = .table

    func run() async throws {
        let connection = try connection.open()
        let object = try await connection.get(Diagnosis.definition, namespace: namespace, name: name)
        let diagnosis = try connection.decoded(object, as: Diagnosis.self)
        if output == .json {
            let results = object[path: "status", "operationResults"] ?? [:]
            Terminal.standardOutput.write(results.prettyEncoded() + [UInt8(ascii: "\n")])
            return
        }
        let results = diagnosis.status?.operationResults ?? [:]
        if let key {
            guard let value = results[key] else {
                let known = results.keys.sorted().joined(separator: ", ")
                throw CommandFailure("\(name) has no result \"\(key)\"", hints: [known.isEmpty ? "It has none." : "There are \(known)."])
            }
            try await show(value, diagnosis, connection, isRaw: true)
            return
        }
        try await showAll(diagnosis, results, connection)
    }

    private func showAll(_ diagnosis: Diagnosis, _ results: [String: ResultValue], _ connection: Connection) async throws {
        let view = DiagnosisView(diagnosis: diagnosis, timeouts: [:], now: Clock.now())
        Terminal.standardOutput.line(Terminal.shown(view.head))
        for line in view.stepLines() { Terminal.standardOutput.line(line) }
        if view.phase.isTerminal { Terminal.standardOutput.line(view.end) }
        for (key, value) in results.sorted(by: { $0.key < $1.key }) {
            Terminal.standardOutput.line("\n== \(Terminal.shown(key))")
            do {
                try await show(value, diagnosis, connection, isRaw: false)
            } catch let failure as CommandFailure {
                Terminal.standardError.write(failure.text)
            } catch let refusal as ServerRefusal {
                Terminal.standardError.write(refusal.failure.text)
            }
        }
        if results.isEmpty { Terminal.standardOutput.line("No results.") }
    }

    private func show(_ value: ResultValue, _ diagnosis: Diagnosis, _ connection: Connection, isRaw: Bool) async throws {
        switch value {
        case .text(let text): write(Array(text.utf8), isRaw: isRaw)
        case .reference(let reference):
            do {
                try await fetch(reference, diagnosis, connection, isRaw: isRaw)
            } catch {
                if !isRaw {
                    write(Array(reference.preview.utf8), isRaw: false)
                    Terminal.standardOutput.line("[the first part; \(reference.size) bytes in all]")
                }
                throw error
            }
        }
    }

    /// The whole of a large result, from the agent through the scheduler, as it comes.
    private func fetch(_ reference: ResultReference, _ diagnosis: Diagnosis, _ connection: Connection, isRaw: Bool) async throws {
        var request = try connection.request(
            .get, EvidenceList.path(diagnosis.uid, reference.evidenceRef), to: .scheduler, accept: "*/*")
        request.retry = .none
        let stream: ClientStream
        var refusal: [UInt8]?
        do throws(HTTPClientError) {
            stream = try await connection.http.stream(request)
            if stream.status != 200 { refusal = try await stream.collect(bytesMax: 1 << 20) }
            if refusal == nil {
                for try await chunk in stream.chunks { write(chunk, isRaw: isRaw, endsLine: false) }
            }
        } catch {
            throw connection.unreachable(error, .scheduler)
        }
        if let refusal {
            throw ServerRefusal(
                error: Connection.apiError(stream.status, refusal), address: connection.scheduler, tokenFile: connection.tokenFile)
        }
        if !isRaw { Terminal.standardOutput.line() }
    }

    /// Raw bytes go as they are to a pipe; on a terminal nothing may move the cursor.
    private func write(_ bytes: [UInt8], isRaw: Bool, endsLine: Bool = true) {
        let output = Terminal.standardOutput
        if isRaw, !output.isInteractive {
            output.write(bytes)
            return
        }
        let text = Terminal.shownLines(String(decoding: bytes, as: UTF8.self))
        output.write(endsLine && !text.hasSuffix("\n") ? text + "\n" : text)
    }
}
