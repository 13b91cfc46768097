/// Pressure stall information: the share of time in which tasks waited for a resource (Documentation/accounting/psi.rst).
///
/// Of /proc/pressure/{cpu,memory,io} and the `*.pressure` files of cgroup v2.
package struct Pressure: Sendable, Equatable {
    package struct Share: Sendable, Equatable {
        /// Percent of the last 10, 60 and 300 seconds, in hundredths.
        package var hundredths10: UInt64 = 0
        package var hundredths60: UInt64 = 0
        package var hundredths300: UInt64 = 0
        package var totalMicroseconds: UInt64 = 0

        package var percent10: Double { Double(hundredths10) / 100 }
        package var percent60: Double { Double(hundredths60) / 100 }
        package var percent300: Double { Double(hundredths300) / 100 }
    }

    /// At least one task waited.
    package var some: Share
    /// All tasks that had something to do waited; kernels before 5.13 don't tell it for the CPU.
    package var full: Share?

    /// Nil where the text has no `some` line.
    package init?(_ bytes: [UInt8]) {
        var some: Share?
        for var line in Lines(bytes) {
            guard let kind = line.range() else { continue }
            switch line.text(in: kind) {
            case "some": some = Self.share(&line)
            case "full": full = Self.share(&line)
            default: continue
            }
        }
        guard let some else { return nil }
        self.some = some
    }

    private static func share(_ line: inout Fields) -> Share {
        var share = Share()
        while let field = line.range() {
            var pair = Fields(line.bytes, field)
            guard let name = pair.text(before: 0x3D) else { continue }
            let value = pair.position..<field.upperBound
            switch name {
            case "avg10": share.hundredths10 = Number.hundredths(line.bytes, value) ?? 0
            case "avg60": share.hundredths60 = Number.hundredths(line.bytes, value) ?? 0
            case "avg300": share.hundredths300 = Number.hundredths(line.bytes, value) ?? 0
            case "total": share.totalMicroseconds = Number.decimal(line.bytes, value) ?? 0
            default: continue
            }
        }
        return share
    }
}
