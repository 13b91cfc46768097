/// Why a store does not open.
public enum SQLiteStoreOpenError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another process (its id, as far as it is known) has the directory.
    case inUse(directory: String, processID: Int32?)
    /// The file was written by a newer version of this program.
    case schemaTooNew(path: String, found: Int, supported: Int)
    /// The file is a database, but none of ours, or none at all.
    case notAStore(path: String, detail: String)
    /// The connection would not sync each commit.
    case notDurable(path: String, detail: String)
    /// The directory or file can't be made, opened or locked.
    case unusable(path: String, detail: String)

    public var description: String {
        switch self {
        case .inUse(let directory, let processID):
            "the data directory \(directory) is in use by \(processID.map { "process \($0)" } ?? "another process")"
        case .schemaTooNew(let path, let found, let supported):
            "\(path) has schema version \(found), but this version of the program knows \(supported) at most; run the newer version that wrote it"
        case .notAStore(let path, let detail): "\(path) is not a store of this program: \(detail)"
        case .notDurable(let path, let detail): "refusing to open \(path): its commits would not be durable (\(detail))"
        case .unusable(let path, let detail): "can't use \(path): \(detail)"
        }
    }
}
