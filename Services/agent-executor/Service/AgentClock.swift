import AgentExecutorCore
import Glibc
import Model
import ServiceKit

/// Reads both clocks of the machine.
enum AgentClock {
    private static let bootID: String = {
        guard let file = fopen("/proc/sys/kernel/random/boot_id", "re") else { return "-" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }()

    static func now() -> Moment {
        var time = timespec()
        // Goes on while the machine sleeps, as deadlines do.
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Moment(
            wall: WallClock.now(), uptimeMicroseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000, bootID: bootID)
    }
}
