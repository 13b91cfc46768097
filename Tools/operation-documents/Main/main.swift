import AgentExecutorService
import Foundation
import OperationDocuments

// operation-documents FOLDER: brings what is written from the built-in operations' declarations up to date and names what it changed.
guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("Usage: operation-documents FOLDER\n".utf8))
    exit(64)
}
do {
    let declarations = BuiltInOperations.declarations
    for path in try OperationDocuments.outdated(declarations, in: CommandLine.arguments[1], writes: true) { print("written: \(path)") }
} catch {
    FileHandle.standardError.write(Data("operation-documents: \(error)\n".utf8))
    exit(1)
}
