import JSONCoding
import Model
import ResourceStore

/// How far the Events of a cluster have been taken in.
struct ClusterPosition: Codable, Sendable, Hashable {
    /// The server's URL, and the namespace that is watched; empty for all.
    var server: String
    var namespace: String
    var resourceVersion: String
    /// When the last of them happened, by its own time: later ones may not have been taken.
    var time: Timestamp

    private static let bucket = "cluster-events"
    private static let key = "position"

    /// The one that is kept for this server and namespace; nil where there is none.
    static func load(
        _ store: (any ResourceStore)?, server: String, namespace: String
    ) async throws(StoreError) -> ClusterPosition? {
        guard let record = try await store?.record(bucket: bucket, key: key) else { return nil }
        do {
            let position = try JSON.decode(ClusterPosition.self, from: record.value)
            return position.server == server && position.namespace == namespace ? position : nil
        } catch {
            throw .corrupt("how far the cluster's Events were taken: \(error)")
        }
    }

    func save(_ store: (any ResourceStore)?) async throws(StoreError) {
        guard let store else { return }
        let bytes: [UInt8]
        do {
            bytes = try JSON.encode(self)
        } catch {
            throw .invalid("how far the cluster's Events were taken can't be encoded: \(error)")
        }
        try await store.transact([.putRecord(bucket: Self.bucket, key: Self.key, value: bytes)])
    }
}
