/// Durations and ages as kubectl and people write them.
public enum DurationText {
    /// `0.4s`, `17.2s`, `2m05s`, `1h03m`, `4d`.
    public static func short(seconds: Double) -> String {
        if seconds < 0 { return "0s" }
        let tenths = Int64((seconds * 10).rounded())
        if tenths < 600 { return "\(tenths / 10).\(tenths % 10)s" }
        let whole = Int64(seconds.rounded())
        if whole < 3600 { return "\(whole / 60)m\(padded(whole % 60))s" }
        if whole < 172_800 { return "\(whole / 3600)h\(padded(whole / 60 % 60))m" }
        return "\(whole / 86_400)d"
    }

    /// An age in one unit, or two where the first is small, as kubectl prints it: `42s`, `5m`, `3h20m`, `26h`, `4d`.
    public static func age(seconds: Double) -> String {
        let whole = Int64(max(0, seconds))
        if whole < 120 { return "\(whole)s" }
        let minutes = whole / 60
        if minutes < 10 { return whole % 60 == 0 ? "\(minutes)m" : "\(minutes)m\(whole % 60)s" }
        if minutes < 180 { return "\(minutes)m" }
        let hours = whole / 3600
        if hours < 8 { return minutes % 60 == 0 ? "\(hours)h" : "\(hours)h\(minutes % 60)m" }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if days < 8 { return hours % 24 == 0 ? "\(days)d" : "\(days)d\(hours % 24)h" }
        if days < 730 { return "\(days)d" }
        return "\(days / 365)y"
    }

    private static func padded(_ value: Int64) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}
