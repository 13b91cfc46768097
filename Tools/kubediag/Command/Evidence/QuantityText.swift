import Model

/// Numbers of findings as people read them: rounded, and in the unit in which they are short. Results keep what was measured.
enum QuantityText {
    private static let binaryUnits = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// - Parameter unit: as findings have it: `bytes`, `bytes per second`, `seconds`, `percent`, any other, or none.
    static func text(_ value: Double, unit: String) -> String {
        switch unit {
        case "bytes": bytes(value)
        case "bytes per second": bytes(value) + "/s"
        case "seconds": seconds(value)
        default: unit.isEmpty ? decimal(value) : "\(decimal(value)) \(unit)"
        }
    }

    /// `812 bytes`, `4 MiB`, `556 KiB`, `41.3 GiB`.
    static func bytes(_ value: Double) -> String {
        var (value, index) = (value, 0)
        // What would be rounded to 1024 is 1 of the next.
        while abs(value) >= 1023.95, index < binaryUnits.count - 1 {
            value /= 1024
            index += 1
        }
        return "\(decimal(value)) \(binaryUnits[index])"
    }

    /// `0.35 ms`, `4.2 s`, and as durations from a minute on: `19h33m`.
    private static func seconds(_ value: Double) -> String {
        let size = abs(value)
        if size > 0, size < 0.1 { return "\(decimal(value * 1000)) ms" }
        return size < 59.95 ? "\(decimal(value)) s" : (value < 0 ? "-" : "") + DurationText.short(seconds: size)
    }

    /// Three digits at least, and no more behind the point than they take.
    private static func decimal(_ value: Double) -> String {
        let size = abs(value)
        guard size.isFinite, size < 1e15 else { return String(value) }
        let places = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
        let scale = [1.0, 10, 100, 1000][places]
        let whole = Int64((size * scale).rounded())
        guard size == 0 || whole > 0 else { return String(value) }
        let sign = value < 0 ? "-" : ""
        var digits = String(whole % Int64(scale) + Int64(scale)).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return sign + String(whole / Int64(scale)) + (digits.isEmpty ? "" : ".\(digits)")
    }
}
