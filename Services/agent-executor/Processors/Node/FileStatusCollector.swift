import AgentOperations
import JSONCoding
import Model

/// What is known of files and folders without opening the files.
struct FileStatusCollector: ProcessorOperation {
    static let pathsMax = 32
    private static let entriesMax = 1000
    private static let walkedMax = 500_000
    static let paths = Parameter<String>.required(
        "filePathInformation",
        TextRule("an absolute path without \"..\", or a JSON array of 1 to \(pathsMax) of them") { parse($0) != nil },
        "the files and folders")
    static let resultKey = "fileStatusInformation"

    private static let members: [SchemaProperty] = [
        .required("path", .string("Its path.")),
        .optional("error", .string("Why nothing else is known of it.")),
        .optional("uid", .integer("Its owner.", 0...Int64(UInt32.max))), .optional("gid", .integer("Its group.", 0...Int64(UInt32.max))),
        .optional("inode", .integer("Its inode.", 0...Int64.max)), .optional("links", .integer("Its hard links.")),
        .optional("mode", .string("As ls(1) shows it.")), .optional("modTime", .time("When it was changed last.")),
        .optional("size", .integer("Its length in bytes.", 0...Int64.max)),
        .optional("diskUsage", .integer("Bytes on disk, of a folder with all that it holds.", 0...Int64.max)),
        .optional("target", .string("Where a symbolic link points.")),
    ]

    static let declaration = BuiltInDeclaration(
        "fileStatusCollector", "Tells owner, mode, times and use of disk of files and folders; of folders also of what they hold.",
        parameters: [paths.definition],
        results: [
            .init(
                resultKey,
                .array(
                    "The files, in the order in which they were named.",
                    of: .object(
                        "One file.",
                        members + [
                            .optional(
                                "fileStatuses",
                                .array(
                                    "The entries of a folder, the biggest first.", of: .object("One entry.", members), max: entriesMax)),
                            .optional("isComplete", .boolean("Of a folder: whether all of its use of disk was counted.")),
                        ]), max: pathsMax))
        ], privileges: ["root, to look into every folder"], timeoutSeconds: 120)

    private static func parse(_ text: String) -> [String]? {
        guard text.utf8.first == UInt8(ascii: "[") else { return TextRule.absolutePath.admits(text) ? [text] : nil }
        let paths: [JSON]?
        do throws(JSON.ParseError) {
            paths = try JSON(parsing: Array(text.utf8)).arrayValue
        } catch {
            return nil
        }
        guard let paths, (1...pathsMax).contains(paths.count) else { return nil }
        let texts = paths.compactMap(\.stringValue).filter { TextRule.absolutePath.admits($0) }
        return texts.count == paths.count ? texts : nil
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let paths = Self.parse(context[Self.paths]) ?? []
        let end = ContinuousClock.Instant.walkEnd(context)
        let statuses = try await host.read { (files) throws(BuiltInFault) in
            var walk = DiskWalk(files, entriesMax: Self.walkedMax, deadline: end)
            var statuses: [JSON] = []
            var last: HostFiles.Problem?
            for path in paths {
                do throws(HostFiles.Problem) {
                    statuses.append(try Self.status(of: path, files, &walk))
                } catch {
                    if case .stopped = error { throw error.fault }
                    last = error
                    statuses.append(["path": .string(path), "error": .string(error.fault.message)])
                }
            }
            // None of them is known: that is no status.
            if let last, statuses.allSatisfy({ $0["error"] != nil }) { throw last.fault }
            return statuses
        }
        return .done([.init(Self.resultKey, .json(.array(statuses)))])
    }

    private static func status(of path: String, _ files: HostFiles, _ walk: inout DiskWalk) throws(HostFiles.Problem) -> JSON {
        let folder = HostPath(path)
        let status = try files.status(folder)
        var members = try describe(status, folder, files)
        guard status.kind == .folder else { return .object(members) }
        var total = status.allocatedBytes
        var biggest = Largest<Entry>(entriesMax) { ($1.bytes, $0.path) < ($0.bytes, $1.path) }
        try walk.eachEntry(of: folder) { (walk, path, own) throws(HostFiles.Problem) in
            let bytes =
                switch own.kind {
                case .folder: own.device == status.device ? try walk.usage(of: path, own).bytes : 0
                default: own.allocatedBytes
                }
            total += bytes
            biggest.add(Entry(path: path, status: own, bytes: bytes))
        }
        members["diskUsage"] = .integer(total)
        members["isComplete"] = .bool(walk.isComplete && walk.refused == 0)
        var entries: [JSON] = []
        for entry in biggest.sorted {
            do throws(HostFiles.Problem) {
                var members = try describe(entry.status, entry.path, files)
                members["diskUsage"] = .integer(entry.bytes)
                entries.append(.object(members))
            } catch {
                guard case .absent = error else { throw error }
            }
        }
        members["fileStatuses"] = .array(entries)
        return .object(members)
    }

    private struct Entry {
        var path: HostPath
        var status: HostFiles.Status
        var bytes: Int64
    }

    private static func describe(
        _ status: HostFiles.Status, _ path: HostPath, _ files: HostFiles
    ) throws(HostFiles.Problem) -> [String: JSON] {
        var members: [String: JSON] = [
            "path": .string(path.text), "uid": .integer(Int64(status.user)), "gid": .integer(Int64(status.group)),
            "inode": .integer(Int64(clamping: status.inode)), "links": .integer(Int64(status.links)), "mode": .string(mode(status)),
            "modTime": .string("\(Timestamp(seconds: status.modifiedAt))"), "size": .integer(status.bytes),
            "diskUsage": .integer(status.allocatedBytes),
        ]
        if status.kind == .link { members["target"] = .string(try files.link(path)) }
        return members
    }

    /// `drwxr-xr-t`.
    private static func mode(_ status: HostFiles.Status) -> String {
        let kind =
            switch status.kind {
            case .regular: "-"
            case .folder: "d"
            case .link: "l"
            case .fifo: "p"
            case .socket: "s"
            case .device: "c"
            case .other: "?"
            }
        var text = kind
        for (index, letter) in "rwxrwxrwx".enumerated() { text.append(status.mode >> (8 - UInt32(index)) & 1 == 1 ? letter : "-") }
        guard status.mode & 0o7000 != 0 else { return text }
        var letters = Array(text)
        for (bit, place, set, bare) in [(0o4000 as UInt32, 3, "s", "S"), (0o2000, 6, "s", "S"), (0o1000, 9, "t", "T")]
        where status.mode & bit != 0 {
            letters[place] = Character(letters[place] == "x" ? set : bare)
        }
        return String(letters)
    }
}
