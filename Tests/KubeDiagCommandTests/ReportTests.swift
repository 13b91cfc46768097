import Foundation
import JSONCoding
import Model
import Testing

@testable import KubeDiagCommand

/// Reports of what hostile steps put out.
@Suite struct ReportTests {
    private static let hostile = "<script>alert(1)</script> | `x` [y](javascript:z) *b* & \"q\" \u{1b}[2J\u{202e}\n# h\n```\n</pre>"

    private var diagnosis: Diagnosis {
        get throws {
            let finding: JSON = [
                "severity": "Critical", "summary": .string(Self.hostile), "hint": .string(Self.hostile),
                "evidence": [["name": .string(Self.hostile), "value": 96, "unit": "percent"]],
            ]
            let mild: JSON = ["severity": "Info", "summary": "all is well"]
            let status: JSON = [
                "phase": "Succeeded", "summary": .string(Self.hostile), "nodeName": "web-07", "startTime": "2026-11-26T03:00:00Z",
                "completionTime": "2026-11-26T03:00:10Z",
                "operationResults": [
                    "a.finding": .string(String(decoding: mild.encoded(), as: UTF8.self)),
                    "z.finding": .string(String(decoding: finding.encoded(), as: UTF8.self)), "not.finding": "no JSON",
                    .init(stringLiteral: "operation.x.output"): .string(Self.hostile),
                ],
                "steps": [
                    [
                        "id": 1, "operation": .string(Self.hostile), "phase": "Succeeded", "outcome": "Found", "attempt": 1,
                        "startTime": "2026-11-26T03:00:00Z", "completionTime": "2026-11-26T03:00:04Z", "message": .string(Self.hostile),
                    ]
                ],
            ]
            let object: JSON = [
                "apiVersion": "diagnosis.kubediag.org/v1", "kind": "Diagnosis",
                "metadata": ["name": "disk-full-x", "namespace": "kubediag", "uid": "u-1"],
                "spec": [
                    "operationSet": "disk-full",
                    "parameters": ["mountpoint": "/var", "approve": "cordon", "dbPassword": "hunter2", "x": .string(Self.hostile)],
                ],
                "status": status,
            ]
            return try object.decode(Diagnosis.self)
        }
    }

    private func document() throws -> ReportDocument {
        var sources = ReportSources(diagnosis: try diagnosis, now: Timestamp(seconds: 1_800_000_000))
        sources.graph = ("<svg id=\"g\"></svg>", [Self.hostile])
        let items: JSON = [
            "node": "web-07",
            "items": [
                ["ref": "1.1-x.1.stdout", "operation": .string(Self.hostile), "bytes": 3, "contentType": "text/plain", "redactions": 2],
                ["ref": "a.pcap", "operation": "x", "bytes": 3, "contentType": "application/vnd.tcpdump.pcap"],
            ],
        ]
        sources.evidence = EvidenceList(items, diagnosis: "disk-full-x", uid: UID("u-1"))
        return sources.document()
    }

    @Test func parametersAreToldWithoutSecrets() throws {
        let text = ReportMarkdown(document: try document()).text
        #expect(text.contains("- **Parameters**: approve=cordon, dbPassword=\\[redacted\\], mountpoint=/var, x="), "\(text)")
        #expect(!text.contains("hunter2"))
    }

    @Test func onlyWordsThatAreLongAreBroken() throws {
        let block = ReportDocument.Block.table(header: ["Outcome", "SHA-256"], rows: [["RuledOut", String(repeating: "a1", count: 32)]])
        let html = ReportHTML(document: ReportDocument(title: "t", blocks: [block])).text
        #expect(html.contains("<tr><td>RuledOut</td><td class=\"long\">a1a1"))
        #expect(html.contains(",.long{overflow-wrap:anywhere}") && !html.contains("td,th,dd{overflow-wrap"))
    }

    @Test(
        arguments: [
            (4_194_304, "bytes", "4 MiB"), (812, "bytes", "812 bytes"), (0, "bytes", "0 bytes"), (1023.99 * 1024, "bytes", "1 MiB"),
            (569_330.905, "bytes per second", "556 KiB/s"), (70_426.847876, "seconds", "19h33m"), (0.00035, "seconds", "0.35 ms"),
            (4.2, "seconds", "4.2 s"), (0, "seconds", "0 s"), (96.123456, "percent", "96.1 percent"), (100, "percent", "100 percent"),
            (123_456.7, "", "123457"), (-2.5, "", "-2.5"), (0.0000001, "", "1e-07"),
        ] as [(Double, String, String)]) func numbersAreReadable(value: Double, unit: String, text: String)
    {
        #expect(QuantityText.text(value, unit: unit) == text)
    }

    @Test func describeTellsWhatWasFound() throws {
        let left = #"{"name":"left","value":4194304,"unit":"bytes"}"#
        let finding = #"{"severity":"Warning","summary":"/var is full","evidence":[\#(left)],"hint":"look"}"#
        let object: JSON = [
            "kind": "Diagnosis", "metadata": ["name": "d"], "status": ["operationResults": ["disk.finding": .string(finding)]],
        ]
        let lines = DescribeCommand.lines(object, Diagnosis.definition)
        let start = try #require(lines.firstIndex(of: "findings:"))
        #expect(lines[(start + 1)...].prefix(3) == ["  Warning: /var is full", "    left: 4 MiB", "    look"])
        #expect(lines.contains { $0.contains("4194304") }, "the results stay as they are")
    }

    @Test func filesThatAreGoneAreToldFromFilesThatCanNotBeHadNow() throws {
        let address = try ServerAddress.parse("http://127.0.0.1:1", option: "--server")
        func note(_ error: APIError, _ diagnosis: Diagnosis) -> String {
            ReportGathering.evidenceNote(ServerRefusal(error: error, address: address, tokenFile: nil), diagnosis)
        }
        var idle = try diagnosis
        idle.status = nil
        let missing = APIError.notFound(kind: "Evidence", name: "u-1")
        #expect(note(missing, try diagnosis).hasPrefix("The files are gone: "))
        #expect(note(missing, idle) == "No step ran, so that there are no files.")
        let removed = APIError(code: 404, reason: "AgentRemoved", message: "agent web-07 is no longer registered")
        #expect(note(removed, try diagnosis) == "The files are out of reach: agent web-07 is no longer registered")
        #expect(note(.unavailable("busy"), try diagnosis).hasPrefix("The files can't be listed now: "))
    }

    @Test func htmlHoldsNoMarkupButItsOwn() throws {
        let html = ReportHTML(document: try document()).text
        #expect(!html.contains("<script") && !html.contains("\u{1b}") && !html.contains("\u{202e}"))
        #expect(html.components(separatedBy: "</pre>").count == html.components(separatedBy: "<pre>").count)
        #expect(html.contains("<svg id=\"g\"></svg>") && html.contains("Content-Security-Policy"))
        #expect(html.contains("left:0.00%;width:100.00%"))
    }

    @Test func markdownHoldsNoMarkupButItsOwn() throws {
        let lines = ReportMarkdown(document: try document()).text.split(separator: "\n", omittingEmptySubsequences: false)
        var fence: Substring?
        for line in lines {
            if let open = fence {
                if line == open { fence = nil }
                continue
            }
            if line.hasPrefix("````") || line == "```" {
                fence = line
                continue
            }
            let bare = String(line).replacingOccurrences(of: #"\\."#, with: "", options: .regularExpression)
            #expect(!bare.contains { "<[`".contains($0) }, "\(line)")
            if line.hasPrefix("# ") { #expect(line == "# Diagnosis disk-full-x") }
        }
        #expect(fence == nil, "every fence is closed")
        #expect(!lines.contains { $0.contains("\u{1b}") })
    }

    @Test(arguments: [
        ("1. item", "1\\. item"), ("12) x", "12\\) x"), ("- a - b", "\\- a - b"), ("# h # h", "\\# h # h"), ("http://x", "http\\://x"),
        ("see www.x.org", "see www\\.x.org"), ("a@b", "a\\@b"), ("1.3-top-dirs.1.stdout", "1.3-top-dirs.1.stdout"),
        ("4.1 GiB in /var (96%)", "4.1 GiB in /var (96%)"), ("plain: text.", "plain: text."), ("2.", "2\\."),
    ]) func markdownStaysReadable(text: String, escaped: String) { #expect(ReportMarkdown.escaped(text) == escaped) }

    @Test func findingsComeFirstAndTheWorstOfThemAtTheTop() throws {
        let text = ReportMarkdown(document: try document()).text
        let headings =
            ["## Findings", "### Critical", "### Info: all is well"]
            + ["Outcome", "Graph", "Steps", "Results", "Evidence", "Redacted"].map { "## \($0)" }
        let places = headings.map { text.range(of: $0)?.lowerBound }
        #expect(!places.contains(nil) && places.compactMap { $0 } == places.compactMap { $0 }.sorted(), "\(text)")
        #expect(text.contains("not.finding"), "what is no finding stays a result")
        #expect(text.contains("percent") && text.contains("Not searched for secrets, as they are no text: a.pcap"))
    }
}
