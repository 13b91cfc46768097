import Logging
public import Model
public import ResourceStore
public import ServiceKit
import Synchronization

/// Tells what happened to objects in events, behind the work that it is about: `record` neither waits nor fails.
///
/// What says the same (object, type, reason and message) is one event with a count; so is what differs in its message alone, from the eleventh
/// message within ten minutes on. An object may have 25 writes at once and one more every five minutes. At most 50 events a second are
/// written, 100 at once, and 1,024 notes wait; further ones, those past an object's limit, and those that could not be written are dropped and
/// counted in `events_dropped_total`.
public final class EventRecorder: Sendable {
    static let notesMax = 1024
    /// Events written at once, and a second after that: the kubelet's defaults.
    static let (writesBurst, writesPerSecond) = (100.0, 50.0)
    /// How often a note is tried to be written, and the seconds between.
    static let attemptsMax = 12
    static let (pauseSecondsMin, pauseSecondsMax) = (0.25, 10.0)
    /// How long the last notes may take at the end.
    static let lastSecondsMax = 1.0

    private let queue = Mutex(NoteQueue(entriesMax: notesMax))
    private let writer: EventWriter
    private let signals: AsyncStream<Void>
    private let added: AsyncStream<Void>.Continuation
    private let recorded: Counter
    private let dropped: MetricFamily<Counter>
    private let logger: Logger

    /// - Parameters:
    ///   - component: who tells: `scheduler`.
    ///   - store: where events are; another process' store takes requests to it.
    public init(component: String, store: any ResourceStore, metrics: MetricRegistry, logger: Logger) {
        writer = EventWriter(component: component, store: store)
        (signals, added) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        recorded = metrics.counter("events_recorded_total", help: "Events about objects that were written, repeats included.")
        dropped = metrics.counters("events_dropped_total", help: "Events about objects that were not written.", labels: ["reason"])
        self.logger = logger
    }

    /// Notes what happened to an object.
    public func record(_ object: ObjectReference, _ type: EventType, _ reason: String, _ message: String) {
        let now = WallClock.now()
        let answer = queue.withLock { $0.add(EventNote(object, type, reason, message), at: now) }
        switch answer {
        case .taken: added.yield()
        case .spam: dropped("Spam").increment()
        case .full: dropped("QueueFull").increment()
        }
    }

    /// Writes notes until the task is cancelled, and then for a moment what is left.
    public func run() async throws {
        var pace = Pace(burst: Self.writesBurst, perSecond: Self.writesPerSecond, at: .now)
        for await _ in signals {
            while !Task.isCancelled, queue.withLock({ $0.count }) > 0 {
                let wait = pace.secondsUntilFree(at: .now)
                if wait > 0 {
                    // What waits meanwhile is counted together where it says the same.
                    do { try await Task.sleep(for: .seconds(wait)) } catch { break }
                    continue
                }
                guard let entry = queue.withLock({ $0.pop() }) else { break }
                pace.take()
                await write(entry)
            }
        }
        // The loop's task is cancelled; the last writes must not be, but for taking too long.
        let last = Task { await self.writeLast() }
        let timer = Task {
            do { try await Task.sleep(for: .seconds(Self.lastSecondsMax)) } catch { return }
            last.cancel()
        }
        await last.value
        timer.cancel()
    }

    private func write(_ entry: NoteQueue.Entry) async {
        var pause = Self.pauseSecondsMin
        for attempt in 1...Self.attemptsMax {
            do throws(StoreError) {
                try await writer.write(entry)
                recorded.increment()
                return
            } catch {
                guard error.isPassing, attempt < Self.attemptsMax else { return drop(entry, error) }
                if attempt == 1 { logger.debug("event not written yet", metadata: ["cause": "\(error)"]) }
            }
            do { try await Task.sleep(for: .seconds(pause)) } catch { return drop(entry, .cancelled) }
            pause = min(Self.pauseSecondsMax, pause * 2)
        }
    }

    private func writeLast() async {
        while !Task.isCancelled, let entry = queue.withLock({ $0.pop() }) {
            do throws(StoreError) {
                try await writer.write(entry)
                recorded.increment()
            } catch {
                return drop(entry, error)
            }
        }
    }

    private func drop(_ entry: NoteQueue.Entry, _ error: StoreError) {
        dropped("NotWritten").increment()
        logger.info(
            "event not written",
            metadata: [
                "kind": "\(entry.note.object.kind ?? "")", "object": "\(entry.note.object.name ?? "")", "reason": "\(entry.note.reason)",
                "cause": "\(error)",
            ])
    }
}

extension StoreError {
    /// Whether the same write may go well later.
    fileprivate var isPassing: Bool {
        switch self {
        case .overloaded, .unavailable, .conflict, .alreadyExists, .notFound, .tooOld: true
        case .refused(let refusal): refusal.code >= 500 || refusal.code == 429 || refusal.code == 401
        case .invalid, .unsupported, .corrupt, .cancelled, .closed: false
        }
    }
}
