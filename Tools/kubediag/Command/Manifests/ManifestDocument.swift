import JSONCoding
import Model

/// One object as it stands in a file, with the line of each of its fields.
package struct ManifestDocument: Sendable {
    let file: String
    /// Of the document's first field, from 1.
    let line: Int
    package let json: JSON
    /// Lines by path: `spec.adjacencyList[2].operation`.
    let lines: [String: Int]

    var kind: String { json["kind"]?.stringValue ?? "" }
    var name: String { json[path: "metadata", "name"]?.stringValue ?? "" }
    var namespace: String { json[path: "metadata", "namespace"]?.stringValue ?? "" }

    /// `OperationSet/disk-full`, as errors call it.
    var title: String { "\(kind.isEmpty ? "object" : kind)/\(name.isEmpty ? "?" : name)" }

    /// The line of a field, or of the nearest thing around it that stands in the file.
    func line(of path: String) -> Int {
        var path = path[...]
        while !path.isEmpty {
            if let line = lines[String(path)] { return line }
            guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
            path = path[..<end]
        }
        return line
    }
}

/// Something that is wrong with a file, at its line.
package struct ManifestFault: Error, Sendable, Hashable, CustomStringConvertible {
    let file: String
    package let line: Int
    /// `OperationSet/disk-full spec.sequence`; empty where the file can't be read at all.
    let subject: String
    package let message: String

    init(file: String, line: Int, subject: String = "", message: String) {
        self.file = file
        self.line = line
        self.subject = subject
        self.message = message
    }

    init(_ document: ManifestDocument, _ path: String, _ message: String) {
        self.init(
            file: document.file, line: document.line(of: path), subject: path.isEmpty ? document.title : "\(document.title) \(path)",
            message: message)
    }

    package var description: String { "\(file):\(line)\(subject.isEmpty ? "" : " \(subject)"): \(message)" }
}

/// Several faults, shown together.
struct ManifestFaults: Error {
    let faults: [ManifestFault]

    var failure: CommandFailure {
        CommandFailure(
            faults.count == 1 ? faults[0].description : "\(faults.count) faults; nothing was sent",
            hints: faults.count == 1 ? [] : faults.map(\.description), status: .data)
    }
}
