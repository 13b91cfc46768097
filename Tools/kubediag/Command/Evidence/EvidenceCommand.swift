import ArgumentParser
import JSONCoding
import Model

struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence", abstract: "List the files that a diagnosis has left on its node, or fetch them.",
        discussion: """
            The files come from the agent through the scheduler. What is cut short goes on where it
            was when the command is run again, and every file is checked against its digest. A file
            that is there already and differs is left alone.

              kubediag evidence disk-full-web-07-k2m8
              kubediag evidence disk-full-web-07-k2m8 -o evidence/
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the diagnosis.") var name: String
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Option(name: .shortAndLong, help: ArgumentHelp("Folder to fetch them into; it is made.", valueName: "dir")) var output: String?

    func run() async throws {
        let connection = try connection.open()
        let object = try await connection.get(Diagnosis.definition, namespace: namespace, name: name)
        let diagnoses = try await connection.nodeDiagnoses(of: try connection.decoded(object, as: Diagnosis.self))
        var table = TextTable(header: ["NODE", "FILE", "OPERATION", "BYTES", "TYPE", "REDACTED", "SHA256"])
        var failures = 0
        for diagnosis in diagnoses {
            do {
                let list = try await connection.evidence(of: diagnosis)
                if let output {
                    let folder = diagnoses.count > 1 || diagnosis.name != name ? "\(output)/\(diagnosis.name)" : output
                    failures += try await fetch(list, into: folder, connection)
                } else {
                    table.rows += list.files.map { Self.row($0, list.node) }
                }
            } catch {
                failures += 1
                Terminal.standardError.write(failure(of: error).text)
            }
        }
        if output == nil, !table.rows.isEmpty {
            for line in table.lines() { Terminal.standardOutput.line(line) }
        } else if output == nil, failures == 0 {
            Terminal.standardOutput.line("No files: nothing that \(Terminal.shown(name)) put out is kept on a node.")
        }
        if failures > 0 { throw CommandEnd(status: .failed) }
    }

    private static func row(_ file: EvidenceList.File, _ node: String) -> [String] {
        [
            node, file.ref, file.operation, String(file.bytes), file.contentType.split(separator: ";").first.map(String.init) ?? "",
            file.redactions.map(String.init) ?? "not looked at", file.sha256.map { String($0.prefix(12)) } ?? "",
        ]
    }

    /// - Returns: how many files are not there now.
    private func fetch(_ list: EvidenceList, into path: String, _ connection: Connection) async throws -> Int {
        let folder = try DownloadFolder(path)
        var failures = 0
        for file in list.files {
            do {
                let result = try await EvidenceDownload(connection: connection, list: list, file: file, folder: folder).perform()
                Terminal.standardOutput.line(Terminal.shown("\(path)/\(file.ref)  \(result)"))
            } catch {
                failures += 1
                Terminal.standardError.write(failure(of: error).text)
            }
        }
        if list.files.isEmpty { Terminal.standardOutput.line(Terminal.shown("\(list.diagnosis): no files on \(list.node)")) }
        return failures
    }
}
