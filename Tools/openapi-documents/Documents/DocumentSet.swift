import Foundation
import Model

/// The documents below `openapi/` and what is generated into each.
package struct DocumentSet: Sendable {
    package struct Document: Sendable {
        package let file: String
        /// In the order in which they stand in the document.
        package let sections: [GeneratedSection]
    }

    package static let documents = [
        Document(
            file: "common.yaml",
            sections: [GeneratedSection(KindComponents.parameters), GeneratedSection(KindComponents().schemas)]),
        Document(
            file: "graph-builder.yaml",
            sections: paths([
                ServedKindRow(definition: Operation.definition, isStatusWritable: true), ServedKindRow(definition: OperationSet.definition),
            ])),
        Document(
            file: "trigger-router.yaml",
            sections: paths([
                ServedKindRow(definition: Trigger.definition, isStatusWritable: true),
                ServedKindRow(definition: CommonEvent.definition, isStatusWritable: true),
                ServedKindRow(definition: Operation.definition, isStatusWritable: true), ServedKindRow(definition: OperationSet.definition),
                ServedKindRow(definition: Diagnosis.definition), ServedKindRow(definition: Agent.definition, canCreate: false),
                ServedKindRow(definition: Event.definition),
            ])),
        Document(
            file: "scheduler.yaml",
            sections: paths([
                ServedKindRow(definition: Diagnosis.definition), ServedKindRow(definition: Agent.definition, canCreate: false),
            ])),
    ]

    private static func paths(_ rows: [ServedKindRow]) -> [GeneratedSection] {
        [GeneratedSection(rows.flatMap { KindPaths($0).members })]
    }

    /// The documents of the services, each of which has a bundle in `bundles/`.
    package static let services = ["agent-executor", "graph-builder", "scheduler", "trigger-router"]

    /// The names of the documents below `folder` that are not what they should be; with `writes` they are brought up to date.
    package static func outdated(in folder: String, writes: Bool) throws -> [String] {
        var names: [String] = []
        var current: [String: String] = [:]
        for document in documents {
            let old = try String(contentsOfFile: "\(folder)/\(document.file)", encoding: .utf8)
            do throws(GeneratedSection.Fault) {
                current[document.file] = try GeneratedSection.fill(document.sections, into: old)
            } catch {
                throw GeneratedSection.Fault(description: "\(folder)/\(document.file): \(error)")
            }
        }
        let common = try YAMLValue(parsing: current["common.yaml"] ?? "")
        for service in services {
            let file = "\(service).yaml"
            let text = try current[file] ?? String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            current["bundles/\(file)"] = try Bundle(common: common).text(of: YAMLValue(parsing: text))
        }
        for (file, text) in current.sorted(by: { $0.key < $1.key }) {
            let path = "\(folder)/\(file)"
            let isThere = FileManager.default.fileExists(atPath: path)
            guard try !isThere || String(contentsOfFile: path, encoding: .utf8) != text else { continue }
            names.append(file)
            if writes { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        }
        return names
    }
}
