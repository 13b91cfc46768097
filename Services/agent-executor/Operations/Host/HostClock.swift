import Glibc
public import Model

/// The clocks of the machine.
public struct HostClock: Sendable {
    /// Wall time.
    public let now: @Sendable () -> Timestamp
    /// Seconds since the machine was started, its sleep counted (`CLOCK_BOOTTIME`).
    public let uptimeSeconds: @Sendable () -> Double
    public let sleep: @Sendable (Double) async throws -> Void

    public init(
        now: @escaping @Sendable () -> Timestamp, uptimeSeconds: @escaping @Sendable () -> Double,
        sleep: @escaping @Sendable (Double) async throws -> Void
    ) {
        self.now = now
        self.uptimeSeconds = uptimeSeconds
        self.sleep = sleep
    }

    public static let system = HostClock(
        now: { Timestamp(microseconds: microseconds(CLOCK_REALTIME)) },
        uptimeSeconds: { Double(microseconds(CLOCK_BOOTTIME)) / 1_000_000 },
        sleep: { try await Task.sleep(for: .seconds($0)) })

    private static func microseconds(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
