import Model

/// One parser under test: takes any bytes, and says when the parser does not keep what it promises.
public struct FuzzTarget: Sendable {
    /// As the command line and the corpus' folder name it.
    public let name: String
    /// Longer inputs find nothing that shorter ones do not.
    public let bytesMax: Int
    /// Text that the engine puts into inputs by itself.
    public let words: [String]
    /// Throws `FuzzFinding` for a broken promise. Any other error that comes out is one too.
    public let check: @Sendable ([UInt8]) async throws -> Void

    init(_ name: String, bytesMax: Int, words: [String] = [], _ check: @escaping @Sendable ([UInt8]) async throws -> Void) {
        self.name = name
        self.bytesMax = bytesMax
        self.words = words
        self.check = check
    }

    /// What is wrong with the answer to `input`; nil when all is well.
    public func finding(for input: [UInt8]) async -> String? {
        do {
            try await check(input)
            return nil
        } catch let finding as FuzzFinding {
            return finding.description
        } catch {
            return "an error that nobody expects: \(error)"
        }
    }
}

extension FuzzTarget {
    public static let all: [FuzzTarget] = [
        json, body, patch, apply, labelSelector, fieldSelector, query, pattern, continueToken, time, cron, alerts, events, message,
        manifest, growth, nodeFacts, redaction,
    ]
}

/// A promise that was not kept.
struct FuzzFinding: Error, CustomStringConvertible {
    let description: String
}

/// Throws a finding unless `condition` holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(FuzzFinding) {
    guard condition else { throw FuzzFinding(description: message()) }
}

/// What `body` makes, or nil when it refuses the input as a caller's fault: by a complete answer of class 4xx.
func refusable<Value>(_ body: () async throws -> Value) async throws -> Value? {
    do {
        return try await body()
    } catch let error as APIError {
        try expect((400..<500).contains(error.code), "a bad input is no fault of the server's: \(error)")
        try expect(APIError(status: error.status)?.code == error.code, "the answer does not read back: \(error)")
        return nil
    }
}
