import Foundation
import JSONCoding
import Model
import ResourceStore
import ResourceStoreSQLite
import Testing

/// A directory that goes when the test is done with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "kubediag-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A diagnosis as an encoded object; what the store makes of it does not depend on whether it would pass admission.
func diagnosis(
    _ name: String, namespace: String = "kubediag", uid: String? = nil, labels: [String: String] = [:], phase: String = "Pending",
    padding: Int = 0
) throws -> EncodedObject {
    var metadata: [String: JSON] = [
        "name": .string(name), "namespace": .string(namespace), "uid": .string(uid ?? "uid-of-\(namespace)-\(name)"),
    ]
    if !labels.isEmpty { metadata["labels"] = .object(labels.mapValues(JSON.string)) }
    let document: JSON = [
        "apiVersion": .string(API.groupVersion), "kind": "Diagnosis", "metadata": .object(metadata),
        "spec": ["operationSet": "disk", "nodeName": "web-07", "parameters": ["padding": .string(String(repeating: "x", count: padding))]],
        "status": ["phase": .string(phase)],
    ]
    return try EncodedObject(document, definition: Diagnosis.definition)
}

func diagnosisKey(_ name: String, namespace: String = "kubediag") -> ObjectKey {
    ObjectKey(plural: "diagnoses", namespace: namespace, name: name)
}

/// Opens a store in a directory of its own, hands it over, and closes it.
func withStore(
    _ configuration: SQLiteStoreConfiguration = SQLiteStoreConfiguration(directory: ""), _ body: (SQLiteStore) async throws -> Void
) async throws {
    let directory = try TemporaryDirectory()
    var configuration = configuration
    configuration.directory = directory.path
    let store = try SQLiteStore(configuration: configuration)
    do {
        try await body(store)
    } catch {
        await store.close()
        throw error
    }
    await store.close()
}

/// A configuration for `withStore`.
func configured(_ change: (inout SQLiteStoreConfiguration) -> Void) -> SQLiteStoreConfiguration {
    var configuration = SQLiteStoreConfiguration(directory: "")
    change(&configuration)
    return configuration
}

/// The next `count` events of a stream; fails the test instead of waiting forever.
func take(_ count: Int, from stream: WatchStream, withinSeconds seconds: Double = 20) async throws -> [WatchEvent] {
    try await withThrowingTaskGroup(of: [WatchEvent]?.self) { group in
        group.addTask {
            var events: [WatchEvent] = []
            var iterator = stream.makeAsyncIterator()
            while events.count < count, let event = try await iterator.next() { events.append(event) }
            return events
        }
        group.addTask {
            try? await Task.sleep(for: .seconds(seconds))
            return nil
        }
        defer { group.cancelAll() }
        let first = try await group.next() ?? nil
        return try #require(first, "the watch did not deliver \(count) events within \(seconds) s")
    }
}

/// The helper process, built beside the tests.
let storeWriterPath = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("store-writer").path

/// Waits until something holds; fails the test after 20 s.
func eventually(_ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        try #require(ContinuousClock.now < deadline, "the condition did not come true within 20 s", sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// A short spelling of an event: `+a@3`, `~a@4`, `-a@5`, `.@6`, with the name and the distance of the revision from `base`.
func spelled(_ event: WatchEvent, from base: Int64) -> String {
    switch event {
    case .added(let object): "+\(object.key.name)@\(object.revision - base)"
    case .modified(let object): "~\(object.key.name)@\(object.revision - base)"
    case .deleted(let object): "-\(object.key.name)@\(object.revision - base)"
    case .bookmark(let revision, let endsInitialState): "\(endsInitialState ? "!" : ".")@\(revision - base)"
    }
}

/// SplitMix64: a seed gives the same run everywhere.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// The seed of a property test: a fresh one, or the one that a failure printed, in `KUBEDIAG_TEST_SEED`.
func testSeed() -> UInt64 {
    ProcessInfo.processInfo.environment["KUBEDIAG_TEST_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...UInt64(UInt32.max))
}
