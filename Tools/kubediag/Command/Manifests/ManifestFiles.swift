import JSONCoding

#if canImport(Glibc)
    import Glibc
#endif

/// The documents behind `-f`: a file, the YAML and JSON files of a directory, or standard input.
///
/// Files that are each whole by themselves may say the same of one object; it is taken once.
enum ManifestFiles {
    static let fileBytesMax = 32 << 20
    static let filesMax = 1000

    static func read(_ paths: [String]) throws -> [ManifestDocument] {
        var documents: [ManifestDocument] = []
        var faults: [ManifestFault] = []
        for path in try paths.flatMap(expand) {
            let bytes =
                path == "-"
                ? try FileSystem.read(STDIN_FILENO, "standard input", bytesMax: fileBytesMax)
                : try FileSystem.read(path, bytesMax: fileBytesMax)
            do throws(ManifestFault) {
                documents += try ManifestParser.parse(bytes, file: path == "-" ? "stdin" : path)
            } catch {
                faults.append(error)
            }
        }
        if !faults.isEmpty { throw ManifestFaults(faults: faults).failure }
        if documents.isEmpty { throw CommandFailure("\(paths.joined(separator: ", ")): no objects in there", status: .data) }
        return distinct(documents)
    }

    /// Each content once, where it stands first.
    static func distinct(_ documents: [ManifestDocument]) -> [ManifestDocument] {
        var seen: Set<JSON> = []
        return documents.filter { seen.insert($0.json).inserted }
    }

    private static func expand(_ path: String) throws -> [String] {
        guard path != "-", FileSystem.isDirectory(path) else { return [path] }
        let files = try FileSystem.names(in: path).filter { name in [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) } }
        guard !files.isEmpty else { throw CommandFailure("\(path): no .yaml, .yml or .json files in there", status: .data) }
        guard files.count <= filesMax else { throw CommandFailure("\(path): more than \(filesMax) files", status: .data) }
        return files.map { "\(path.hasSuffix("/") ? path : path + "/")\($0)" }
    }
}
