import Foundation
import OpenAPIDocuments

// openapi-documents FOLDER: brings the generated parts of the documents in FOLDER up to date and names those that it changed.
guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("Usage: openapi-documents FOLDER\n".utf8))
    exit(64)
}
do {
    for name in try DocumentSet.outdated(in: CommandLine.arguments[1], writes: true) { print("written: \(name)") }
} catch {
    FileHandle.standardError.write(Data("openapi-documents: \(error)\n".utf8))
    exit(1)
}
