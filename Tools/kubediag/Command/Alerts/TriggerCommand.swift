import ArgumentParser
import HTTPClient
import JSONCoding
import Model

struct TriggerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trigger", abstract: "Try triggers out.", subcommands: [TriggerTestCommand.self])
}

struct TriggerTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Say which triggers an alert would match, which not and why not; nothing is created.",
        discussion: """
            The alert is a file (a webhook of Alertmanager, an array of alerts or one alert, as JSON; - for standard input), a set of
            labels, or what an Alertmanager has now.

              kubediag trigger test alertname=NodeFilesystemAlmostOutOfSpace instance=web-07:9100 mountpoint=/data
              kubediag trigger test -f webhook.json
              kubediag trigger test --alertmanager http://127.0.0.1:9093

            Exit status 0 when at least one trigger matches, 3 when none does.
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: ArgumentHelp("Labels of the alert.", valueName: "key=value")) var labels: [KeyValue] = []
    @Option(name: .shortAndLong, help: "File with alerts as JSON, or - for standard input.") var filename: String?
    @Option(help: ArgumentHelp("Take the alerts that this Alertmanager has now.", valueName: "url")) var alertmanager: String?

    func validate() throws {
        let sources = [!labels.isEmpty, filename != nil, alertmanager != nil].filter { $0 }.count
        guard sources == 1 else { throw ValidationError("Give either labels, -f FILE or --alertmanager URL.") }
    }

    func run() async throws {
        let connection = try connection.open()
        let answer = try await connection.json(.post, "/api/v1/triggers/test", body: try await alerts(connection))
        let tested: TriggerTestAnswer
        do throws(JSON.DecodeError) {
            tested = try answer.decode(TriggerTestAnswer.self)
        } catch {
            throw CommandFailure("the server's answer can't be read: \(error)")
        }
        if tested.alerts.isEmpty { Terminal.standardOutput.line("No alerts.") }
        for alert in tested.alerts {
            for line in AlertText.lines(alert) { Terminal.standardOutput.line(Terminal.shown(line)) }
        }
        if !tested.alerts.contains(where: { !$0.matches.isEmpty }) { throw CommandEnd(status: .nothingFound) }
    }

    private func alerts(_ connection: Connection) async throws -> JSON {
        if let filename {
            let bytes =
                filename == "-"
                ? try FileSystem.read(0, "standard input", bytesMax: ManifestFiles.fileBytesMax)
                : try FileSystem.read(filename, bytesMax: ManifestFiles.fileBytesMax)
            do throws(JSON.ParseError) {
                return try JSON(parsing: bytes)
            } catch {
                throw CommandFailure("\(filename) is not JSON: \(error)", status: .data)
            }
        }
        if let alertmanager { return try await live(alertmanager, connection) }
        let members = Dictionary(labels.map { ($0.key, JSON.string($0.value)) }, uniquingKeysWith: { _, last in last })
        return .array([["labels": .object(members), "annotations": [:]]])
    }

    /// What an Alertmanager has now (`GET /api/v2/alerts`), silenced and inhibited alerts left out, as it does when it notifies.
    private func live(_ url: String, _ connection: Connection) async throws -> JSON {
        var base = url
        while base.last == "/" { base.removeLast() }
        let request = ClientRequest(
            url: "\(base)/api/v2/alerts?active=true&silenced=false&inhibited=false", headers: ["Accept": "application/json"],
            responseBytesMax: 64 << 20)
        let response: ClientResponse
        do {
            response = try await connection.http.send(request)
        } catch {
            throw CommandFailure("no answer from the Alertmanager at \(base): \(error)", status: .unreachable)
        }
        guard response.status == 200 else { throw CommandFailure("the Alertmanager at \(base) answered \(response.status)") }
        do throws(JSON.ParseError) {
            return try JSON(parsing: response.body)
        } catch {
            throw CommandFailure("\(base) answered something that is not JSON; is it an Alertmanager?")
        }
    }
}
