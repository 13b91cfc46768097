/// Numbers with their units, for people.
enum Quantity {
    /// `3.1 GiB`, `812 MiB`, `17 B`.
    static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        var unit = 0
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 || value >= 100 ? "\(Int(value.rounded())) \(units[unit])" : "\(rounded(value, places: 1)) \(units[unit])"
    }

    /// `12.3 %`, `97 %`.
    static func percent(_ value: Double) -> String { "\(rounded(value, places: 1)) %" }

    /// `12 min`, `3.5 h`, `250 ms`: the largest unit of which there is at least one.
    static func duration(_ seconds: Double) -> String {
        let size = abs(seconds)
        return switch size {
        case ..<1: "\(rounded(seconds * 1000, places: 1)) ms"
        case ..<120: "\(rounded(seconds, places: 1)) s"
        case ..<7200: "\(rounded(seconds / 60, places: 0)) min"
        case ..<172_800: "\(rounded(seconds / 3600, places: 1)) h"
        default: "\(rounded(seconds / 86_400, places: 1)) d"
        }
    }

    /// `1 process`, `3 processes`.
    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        number == 1 ? "1 \(one)" : "\(number) \(many ?? one + "s")"
    }

    static func rounded(_ value: Double, places: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        let bounded = min(max(value, -1e15), 1e15)
        let factor = places == 0 ? 1.0 : places == 1 ? 10.0 : 100.0
        let scaled = (bounded * factor).rounded() / factor
        return scaled == scaled.rounded() ? "\(Int64(scaled))" : "\(scaled)"
    }
}
