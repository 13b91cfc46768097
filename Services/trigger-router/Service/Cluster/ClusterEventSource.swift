import HTTPClient
import JSONCoding
import KubernetesConnection
import Logging
import Model
import ResourceClient
import ResourceStore
import ServiceKit
import TriggerRouterCore

/// Takes the Events of a Kubernetes cluster as they come, by a watch of core/v1: events.k8s.io shows the same objects.
///
/// How far it has come is durable: a router that starts again goes on there, and one that never ran begins with what happens from then on.
/// Where the server's history does not reach back so far, it lists, and takes what happened since. While the scheduler can't take what an Event
/// asks for, nothing more is read. A repeat after a crash is one for the scheduler too, which knows it.
struct ClusterEventSource: Sendable {
    /// Events read before those are taken in that came first.
    static let waitingMax = 1000
    static let pageMax = 500
    /// Pauses before the next list or watch, and the longest one while Events can't be taken in.
    static let retry = RetryPolicy(attemptsMax: 1, backoffSeconds: 0.25, backoffSecondsMax: 30)
    /// After the history was lost: how much older than the last look an Event may be to be taken, for clocks that differ.
    static let overlapSeconds = 60.0

    let connection: KubernetesConnection
    /// Empty for all.
    let namespace: String
    let receiver: EventReceiver
    let journal: (any ResourceStore)?
    let metrics: ClusterMetrics
    let logger: Logger

    /// What a watch brings: an Event with its version, or a version alone.
    private struct Item: Sendable {
        var event: JSON?
        var resourceVersion: String
    }

    private var server: String { "\(connection.access.server)" }
    private var selection: ResourceSelection { ResourceSelection(namespace: namespace) }

    /// Runs until it is cancelled.
    func run() async throws {
        var position: ClusterPosition?
        var isLoaded = false
        var failures = 0
        var filter = RepeatFilter()
        while !Task.isCancelled {
            do {
                if !isLoaded {
                    position = try await ClusterPosition.load(self.journal, server: server, namespace: namespace)
                    isLoaded = true
                }
                if position == nil { position = try await present() }
                let began = ContinuousClock.now
                try await follow(&position)
                metrics.connected.set(0)
                // A server ends a watch when its time is over; one that does so at once is not asked in a circle.
                if ContinuousClock.now - began > .seconds(1) { failures = 0 }
            } catch let error as ResourceClientError where error.code == 410 {
                do {
                    try await catchUp(&position)
                    failures = 0
                    continue
                } catch {
                    try note(error, &filter)
                }
            } catch {
                try note(error, &filter)
            }
            failures += 1
            // Nothing tells when a server is there again but asking it.
            try await Task.sleep(for: .seconds(Self.retry.pauseSeconds(afterAttempt: failures, random: .random(in: 0..<1))))
        }
    }

    private func note(_ error: any Error, _ filter: inout RepeatFilter) throws {
        try Task.checkCancellation()
        metrics.connected.set(0)
        metrics.errors.increment()
        guard filter.admits("\(error)") else { return }
        logger.warning("the cluster's Events can't be read", metadata: ["cause": "\(error)"])
    }

    // MARK: From where

    /// The version that the server has now.
    private func present() async throws -> ClusterPosition {
        let page = try await connection.client.list(KubernetesKinds.coreEvents, selection, limit: 1)
        let position = ClusterPosition(
            server: server, namespace: namespace, resourceVersion: page.resourceVersion, time: WallClock.now())
        try await position.save(journal)
        return position
    }

    /// Takes what happened since the position, by a list, and moves the position to it.
    private func catchUp(_ position: inout ClusterPosition?) async throws {
        let since = position?.time.adding(seconds: -Self.overlapSeconds)
        let start = WallClock.now()
        logger.warning(
            "the cluster's history does not reach back; its Events are listed", metadata: ["since": "\(since?.description ?? "")"])
        metrics.relists.increment()
        var continuation: String?
        var first: ResourcePage<JSON>?
        repeat {
            let page = try await connection.client.list(
                KubernetesKinds.coreEvents, selection, limit: Self.pageMax, continuation: continuation)
            if first == nil { first = page }
            _ = try await take(page.items, since: since)
            continuation = page.continuation
        } while continuation != nil
        guard let first else { return }
        position = try await moved(to: first.resourceVersion, at: start)
    }

    private func moved(to version: String, at time: Timestamp) async throws -> ClusterPosition {
        let position = ClusterPosition(server: server, namespace: namespace, resourceVersion: version, time: time)
        try await position.save(journal)
        return position
    }

    // MARK: The watch

    /// Follows one watch to its end.
    private func follow(_ position: inout ClusterPosition?) async throws {
        let watch = try await connection.client.watch(
            KubernetesKinds.coreEvents, selection, from: WatchStart(resourceVersion: position?.resourceVersion))
        metrics.connected.set(1)
        let queue = BoundedQueue<Item>(itemsMax: Self.waitingMax)
        async let reading: Void = Self.read(watch, into: queue)
        do {
            while true {
                let items = await queue.take()
                guard let last = items.last else { break }
                let latest = try await take(items.compactMap(\.event), since: nil)
                // By the Events' own time: what waited here for an hour says nothing of what waits behind it.
                let time = [position?.time, latest].compactMap { $0 }.max() ?? WallClock.now()
                position = try await moved(to: last.resourceVersion, at: time)
            }
        } catch {
            queue.close()
            throw error
        }
        try await reading
    }

    private static func read(_ watch: ResourceWatch<JSON>, into queue: BoundedQueue<Item>) async throws {
        defer { queue.close() }
        for try await event in watch {
            let item: Item
            switch event {
            case .added(let json), .modified(let json):
                item = Item(event: json, resourceVersion: json[path: "metadata", "resourceVersion"]?.stringValue ?? "")
            case .deleted(let json): item = Item(resourceVersion: json[path: "metadata", "resourceVersion"]?.stringValue ?? "")
            case .bookmark(let version, _): item = Item(resourceVersion: version)
            }
            guard !item.resourceVersion.isEmpty else { throw ResourceClientError.unreadable("an Event has no resourceVersion") }
            guard await queue.put(item) else { return }
        }
    }

    // MARK: Taking in

    /// Returns once each is stored, judged or a dead letter, however long the scheduler takes: with when the last of them happened.
    private func take(_ items: [JSON], since: Timestamp?) async throws -> Timestamp? {
        guard !items.isEmpty else { return nil }
        metrics.received.increment(by: items.count)
        while true {
            do throws(APIError) {
                let latest = try await receiver.take(items, since: since, from: server, logger: logger)
                metrics.held.set(0)
                return latest
            } catch {
                try Task.checkCancellation()
                if metrics.held.value == 0 {
                    logger.warning("the cluster's Events wait: they can't be taken in now", metadata: ["cause": "\(error.message)"])
                }
                metrics.held.set(1)
                let seconds = error.retryAfterSeconds ?? IntakePipeline.retryAfterSecondsDefault
                // It said when to come again, and tells nobody that it has room before that.
                try await Task.sleep(for: .seconds(min(Double(seconds), Self.retry.backoffSecondsMax)))
            }
        }
    }
}
