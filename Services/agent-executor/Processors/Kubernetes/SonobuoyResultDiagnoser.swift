import AgentOperations
import JSONCoding
import Model
import YAMLReading

/// Counts the results of a Sonobuoy run by the categories of its tests.
///
/// What is read lies in the folder, and a file that is none of results is not told: whoever asks may not be whoever may read it.
///
/// A results file is a tree of items with `name`, `status` and `items`; its leaves are the tests. The files stay where they are.
struct SonobuoyResultDiagnoser: ProcessorOperation {
    static let directory = Parameter<String>.required(
        "sonobuoy_result_diagnoser.temporary_result_directory", .absolutePath, "the folder with the results of the run")
    static let file = Parameter<String>.required(
        "sonobuoy_result_diagnoser.e2e_file",
        TextRule("a path below the folder, without \"..\"") { !PathText.isAbsolute($0) && TextRule.absolutePath.admits("/\($0)") },
        "the results file in it, in dump format (YAML)")
    static let summaryKey = "sonobuoy_result_diagnoser.summary"
    static let directoryKey = "sonobuoy_result_diagnoser.result_directory"

    private static let fileBytesMax = 8 << 20
    private static let depthMax = 64
    private static let itemsMax = 20_000

    static let declaration = BuiltInDeclaration(
        "sonobuoyResultDiagnoser", "Counts the results of a Sonobuoy run by the categories of its tests.",
        parameters: [directory.definition, file.definition],
        results: [
            .init(
                summaryKey,
                .array(
                    "The categories, by name.",
                    of: .object(
                        "One category: the first part in brackets of the tests' names, or \"other\".",
                        [
                            .required("category_name", .string("Its name.")),
                            .required("status_counts", .anything("How many tests have which status.")),
                            .required(
                                "items",
                                .array(
                                    "Its tests, without those that were skipped.",
                                    of: .object(
                                        "One test.",
                                        [.required("name", .string("Its name.")), .required("status", .string("Its status."))]),
                                    max: itemsMax)),
                        ]), max: itemsMax)),
            .init(directoryKey, .string("The folder with the results.")),
        ])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let directory = context[Self.directory]
        let file = context[Self.file]
        let path = "\(directory)/\(file)"
        let summary = try await host.read { (files) throws(BuiltInFault) -> JSON in
            let bytes: [UInt8]
            do throws(HostFiles.Problem) {
                bytes = try files.read(file, inside: directory, followsLinks: true, bytesMax: Self.fileBytesMax + 1).bytes
            } catch {
                throw error.fault
            }
            guard bytes.count <= Self.fileBytesMax else { throw .failed("\(path) has more than \(Self.fileBytesMax) bytes") }
            do throws(YAMLFault) {
                return try Self.summary(of: try YAMLBody.read(bytes, bytesMax: Self.fileBytesMax), path)
            } catch {
                throw .failed("\(path):\(error.line): \(error.kind)")
            }
        }
        return .done([.init(Self.summaryKey, .json(summary)), .init(Self.directoryKey, .text(directory))])
    }

    private static func summary(of root: JSON, _ path: String) throws(YAMLFault) -> JSON {
        guard root["items"]?.arrayValue != nil || root["status"]?.stringValue != nil else {
            throw YAMLFault(line: 1, message: "is no results file of Sonobuoy: it has neither items nor a status")
        }
        var tests: [(name: String, status: String)] = []
        var open = [(item: root, depth: 0)]
        while let (item, depth) = open.popLast() {
            guard depth <= depthMax, tests.count <= itemsMax else {
                throw YAMLFault(line: 1, message: "has more than \(itemsMax) items or \(depthMax) levels")
            }
            if let items = item["items"]?.arrayValue, !items.isEmpty {
                open += items.reversed().map { ($0, depth + 1) }
            } else if let status = item["status"]?.stringValue, status != "skipped" {
                tests.append((item["name"]?.stringValue ?? "", status))
            }
        }
        let categories = Dictionary(grouping: tests) { category(of: $0.name) }
        return .array(
            categories.sorted { $0.key < $1.key }.map { name, tests in
                let counts = Dictionary(grouping: tests, by: \.status).mapValues { JSON.integer(Int64($0.count)) }
                return [
                    "category_name": .string(name), "status_counts": .object(counts),
                    "items": .array(tests.map { ["name": .string($0.name), "status": .string($0.status)] }),
                ]
            })
    }

    private static func category(of name: String) -> String {
        guard name.hasPrefix("["), let end = name.firstIndex(of: "]") else { return "other" }
        return String(name[...end])
    }
}
