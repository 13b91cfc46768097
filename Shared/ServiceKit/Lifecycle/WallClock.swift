import Model

#if canImport(Glibc)
    import Glibc
#endif

/// The machine's wall clock; the edge reads it and hands the time on as an argument.
public enum WallClock {
    /// The time now, to the microsecond.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
