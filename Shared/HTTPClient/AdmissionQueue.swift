/// Who may hold a connection now and who waits, first come first served within the limits.
///
/// A value without I/O: the loop tells it what happened and does what it answers.
struct AdmissionQueue {
    typealias ID = UInt64

    enum Decision: Equatable {
        case start
        case wait
        case refuse
    }

    private let activeMax: Int
    private let activePerOriginMax: Int
    private let waitingMax: Int
    private var activeCount = 0
    private var waitingCount = 0
    private var origins: [Origin: Lane] = [:]

    /// What is active and waiting of one origin; a lane that has neither is removed.
    private struct Lane {
        var active = 0
        var waiting: [ID] = []
    }

    init(activeMax: Int, activePerOriginMax: Int, waitingMax: Int) {
        precondition(activeMax > 0 && activePerOriginMax > 0 && waitingMax >= 0)
        self.activeMax = activeMax
        self.activePerOriginMax = activePerOriginMax
        self.waitingMax = waitingMax
    }

    /// A request arrived. IDs grow with time; that order decides who is next.
    mutating func arrive(_ id: ID, origin: Origin) -> Decision {
        var lane = origins[origin] ?? Lane()
        if activeCount < activeMax, lane.active < activePerOriginMax, lane.waiting.isEmpty {
            lane.active += 1
            activeCount += 1
            origins[origin] = lane
            return .start
        }
        guard waitingCount < waitingMax else { return .refuse }
        lane.waiting.append(id)
        waitingCount += 1
        origins[origin] = lane
        return .wait
    }

    /// A request that waited will not be started.
    mutating func abandon(_ id: ID, origin: Origin) {
        guard var lane = origins[origin], let index = lane.waiting.firstIndex(of: id) else { return }
        lane.waiting.remove(at: index)
        waitingCount -= 1
        put(lane, origin)
    }

    /// A started request ended; the answer is who starts in its place, if anyone.
    mutating func leave(origin: Origin) -> ID? {
        guard var lane = origins[origin], lane.active > 0 else { preconditionFailure("a request left that was never started") }
        lane.active -= 1
        activeCount -= 1
        put(lane, origin)
        return waitingCount > 0 ? startNext() : nil
    }

    /// The oldest of those whose origin has room.
    private mutating func startNext() -> ID? {
        var best: (id: ID, origin: Origin)?
        for (origin, lane) in origins where lane.active < activePerOriginMax {
            if let id = lane.waiting.first, id < best?.id ?? .max { best = (id, origin) }
        }
        guard let best, var lane = origins[best.origin] else { return nil }
        lane.waiting.removeFirst()
        lane.active += 1
        waitingCount -= 1
        activeCount += 1
        origins[best.origin] = lane
        return best.id
    }

    private mutating func put(_ lane: Lane, _ origin: Origin) {
        origins[origin] = lane.active == 0 && lane.waiting.isEmpty ? nil : lane
    }
}
