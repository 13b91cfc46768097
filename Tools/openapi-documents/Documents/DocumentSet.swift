import Foundation
import Model

/// The documents below `openapi/` and what is generated into each.
package struct DocumentSet: Sendable {
    package struct Document: Sendable {
        package let file: String
        package let section: GeneratedSection
    }

    package static let documents = [
        Document(file: "common.yaml", section: GeneratedSection(KindSchemas().components)),
        Document(
            file: "graph-builder.yaml",
            section: paths([
                ServedKindRow(definition: Operation.definition, isStatusWritable: true), ServedKindRow(definition: OperationSet.definition),
            ])),
        Document(
            file: "trigger-router.yaml",
            section: paths([
                ServedKindRow(definition: Trigger.definition, isStatusWritable: true),
                ServedKindRow(definition: CommonEvent.definition, isStatusWritable: true),
                ServedKindRow(definition: Operation.definition, isStatusWritable: true), ServedKindRow(definition: OperationSet.definition),
                ServedKindRow(definition: Diagnosis.definition), ServedKindRow(definition: Agent.definition, canCreate: false),
            ])),
        Document(
            file: "scheduler.yaml",
            section: paths([
                ServedKindRow(definition: Diagnosis.definition), ServedKindRow(definition: Agent.definition, canCreate: false),
            ])),
    ]

    private static func paths(_ rows: [ServedKindRow]) -> GeneratedSection {
        GeneratedSection(rows.flatMap { KindPaths($0).members })
    }

    /// The names of the documents below `folder` whose generated part is not what it should be; with `writes` they are brought up to date.
    package static func outdated(in folder: String, writes: Bool) throws -> [String] {
        var names: [String] = []
        for document in documents {
            let path = "\(folder)/\(document.file)"
            let old = try String(contentsOfFile: path, encoding: .utf8)
            let new: String
            do throws(GeneratedSection.Fault) {
                new = try document.section.filled(into: old)
            } catch {
                throw GeneratedSection.Fault(description: "\(path): \(error)")
            }
            guard new != old else { continue }
            names.append(document.file)
            if writes { try new.write(toFile: path, atomically: true, encoding: .utf8) }
        }
        return names
    }
}
