#if canImport(Glibc)
    import Glibc
#endif

/// What the kernel says about this process, by the names that Prometheus' client libraries use.
enum ProcessMetrics {
    static func register(in registry: MetricRegistry) {
        let startSeconds = Double(WallClock.now().microseconds) / 1e6
        registry.gauge("process_start_time_seconds", help: "Start time of the process since the epoch in seconds.") { startSeconds }
        registry.gauge("process_resident_memory_bytes", help: "Resident memory size in bytes.") { residentBytes }
        registry.gauge("process_open_fds", help: "Number of open file descriptors.") { openDescriptors.map(Double.init) }
        registry.gauge("process_max_fds", help: "Maximum number of open file descriptors.") { descriptorLimit }
        registry.counter("process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds.") { cpuSeconds }
    }

    /// The second field of /proc/self/statm, in pages; proc(5).
    static var residentBytes: Double? {
        guard let text = contents("/proc/self/statm") else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Double(fields[1]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    static var openDescriptors: Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without ".", ".." and the descriptor that this listing holds itself.
        return count - 3
    }

    private static var descriptorLimit: Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return limit.rlim_cur == rlim_t.max ? .infinity : Double(limit.rlim_cur)
    }

    private static var cpuSeconds: Double? {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func contents(_ path: String) -> String? {
        do throws(FileReadFault) {
            return String(decoding: try FileReader.read(path, bytesMax: 65_536), as: UTF8.self)
        } catch {
            return nil
        }
    }
}
