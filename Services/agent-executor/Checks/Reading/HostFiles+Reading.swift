import AgentOperations

extension HostFiles {
    /// A file that an operation can't do without.
    func needed(_ path: String, bytesMax: Int = readBytesMax) throws(BuiltInFault) -> [UInt8] {
        do throws(Problem) {
            return try read(path, bytesMax: bytesMax)
        } catch {
            throw error.fault
        }
    }

    /// A file that may not be there, or no longer.
    func present(_ path: String, bytesMax: Int = readBytesMax) throws(BuiltInFault) -> [UInt8]? {
        do throws(Problem) {
            return try read(path, bytesMax: bytesMax)
        } catch {
            if case .absent = error { return nil }
            throw error.fault
        }
    }

    /// A file that tells more where it can be read; what can't be is as good as not there.
    func readable(_ path: String, bytesMax: Int = readBytesMax) throws(BuiltInFault) -> [UInt8]? {
        try tolerant { files throws(Problem) in try files.read(path, bytesMax: bytesMax) }
    }

    /// The names in a folder, nil where it is no folder, is gone or can't be read.
    func readableNames(in path: String) throws(BuiltInFault) -> [String]? {
        try tolerant { files throws(Problem) in try files.names(in: path) }
    }

    /// Calls the body for each entry of a folder with what is known of it, until it answers false; what is gone or can't be looked at has no
    /// status. A folder that can't be read has none, or no more.
    ///
    /// - Parameter skipped: mount points, which are passed over without asking: a file system whose server is away would hold up who asks.
    func eachReadableEntry(
        of folder: HostPath, except skipped: Set<HostPath>, _ body: (HostPath, Status?) -> Bool
    ) throws(BuiltInFault) {
        _ = try tolerant { files throws(Problem) in
            try files.eachFileName(in: folder) { (name) throws(Problem) in
                let path = folder.appending(name)
                if skipped.contains(path) { return true }
                do throws(Problem) {
                    return body(path, try files.status(path))
                } catch {
                    if case .stopped = error { throw error }
                    return body(path, nil)
                }
            }
        }
    }

    func readableStatus(_ path: String) throws(BuiltInFault) -> Status? {
        try tolerant { files throws(Problem) in try files.status(path) }
    }

    /// What a text means; fails where it makes no sense.
    func parsed<Value>(_ path: String, _ parse: ([UInt8]) -> Value?) throws(BuiltInFault) -> Value {
        guard let value = parse(try needed(path)) else { throw .failed("\(path) is not what the kernel writes there") }
        return value
    }

    func parsedIfReadable<Value>(_ path: String, _ parse: ([UInt8]) -> Value?) throws(BuiltInFault) -> Value? {
        try readable(path, bytesMax: 64 * 1024).flatMap(parse)
    }

    /// What the body makes of each process that is there now, in ascending order of their numbers; nil is left out.
    func eachProcess<Value>(
        bytesMax: Int = 4096, _ body: (inout ProcessFolder, Int32) throws(Problem) -> Value?
    ) throws(BuiltInFault) -> [Value] {
        do throws(Problem) {
            let pids = try processIDs()
            var folder = try ProcessFolder(self, bytesMax: bytesMax)
            var values: [Value] = []
            values.reserveCapacity(pids.count)
            for pid in pids {
                if let value = try body(&folder, pid) { values.append(value) }
            }
            return values
        } catch {
            throw error.fault
        }
    }

    /// Nil for a problem with one file; an execution that is to end ends.
    private func tolerant<Value>(_ body: (HostFiles) throws(Problem) -> Value) throws(BuiltInFault) -> Value? {
        do throws(Problem) {
            return try body(self)
        } catch {
            if case .stopped = error { throw .cancelled }
            return nil
        }
    }
}
