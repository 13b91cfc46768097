// Runs the node checks that read /proc alone on a machine with at least 500 processes, and prints the CPU time of one run of each beside that
// of the pipeline which an engineer would type, and for scans beside that of a C program which makes the system calls alone. Of a check that
// samples twice, the pipeline looks once.
import AgentChecks
import AgentOperations
import CBenchChecks
import Glibc
import HTTPClient
import ProcessRunner

let processesMin = 500
let runs = 20

/// What stands beside each check; its parameters keep the time between two samples short, which costs no CPU.
let pairs: [(check: String, parameters: [String: String], pipeline: String)] = [
    ("loadAverage", [:], "cat /proc/loadavg; nproc"),
    ("memoryPressure", [:], "cat /proc/pressure/memory; free -m"),
    ("uninterruptibleTasks", [:], "ps -eLo pid,lwp,stat,wchan:32,comm | awk '$3 ~ /^D/'"),
    ("uninterruptibleTasks", ["threads": "false"], "ps -eo pid,stat,wchan:32,comm | awk '$2 ~ /^D/'"),
    ("zombieProcesses", [:], "ps -eo ppid,stat,comm | awk '$2 ~ /^Z/'"),
    ("runawayProcesses", ["sampleSeconds": "0.1"], "ps -eo pid,pcpu,comm --sort=-pcpu | head"),
    ("pidLimits", [:], "ps -eLf | wc -l; cat /proc/sys/kernel/pid_max"),
    ("fileDescriptors", [:], "for p in /proc/[0-9]*; do ls $p/fd | wc -l; grep 'open files' $p/limits; done"),
    ("deletedOpenFiles", [:], "ls -l /proc/[0-9]*/fd | grep '(deleted)'"),
    ("diskSaturation", ["sampleSeconds": "0.1"], "cat /proc/diskstats"),
    ("tcpHealth", ["sampleSeconds": "0.1"], "cat /proc/net/snmp /proc/net/netstat; ss -ltn"),
    ("softnet", ["sampleSeconds": "0.1"], "cat /proc/net/softnet_stat"),
    ("networkInterfaces", ["sampleSeconds": "0.1"], "ip -s link"),
    ("kernelLog", [:], "dmesg | grep -iE 'error|fail|oom|hung|panic'"),
]

/// What the kernel takes of a scan, in C; each round of it is by turns with one of the check.
let scans: [String: @convention(c) () -> Int] = [
    "uninterruptibleTasks": bench_read_stats, "zombieProcesses": bench_read_stats, "deletedOpenFiles": bench_read_links,
]

func cpuMilliseconds(_ who: __rusage_who) -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(who.rawValue), &usage)
    let times = [usage.ru_utime, usage.ru_stime]
    return times.reduce(0) { $0 + Double($1.tv_sec) * 1000 + Double($1.tv_usec) / 1000 }
}

func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

func start(_ path: String, _ arguments: [String]) -> pid_t {
    var pid: pid_t = 0
    var pointers: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return posix_spawn(&pid, path, nil, nil, &pointers, environ) == 0 ? pid : 0
}

func waitFor(_ pid: pid_t) {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
}

let files = try HostFiles()
let present = try files.processIDs().count
let sleepers = (present..<max(present, processesMin)).map { _ in start("/bin/sleep", ["600"]) }
defer {
    for pid in sleepers where pid > 0 { kill(pid, SIGKILL) }
    for pid in sleepers where pid > 0 { waitFor(pid) }
}

let host = Host(files: files, tools: HostTools(runner: try ProcessRunner()), http: try HTTPClient(), readers: ReaderThreads())
print("\(try files.processIDs().count) processes; CPU milliseconds of one run, mean of \(runs)")
print("\(bench_read_links()) open files")
print("check | built in | pipeline | ratio | system calls alone, in C | ratio")
for pair in pairs {
    guard let check = NodeChecks.all.first(where: { $0.name == pair.check }) else { fatalError("no check is called \(pair.check)") }
    let context = try BuiltInContext(check.declaration, values: pair.parameters, timeoutSeconds: 60)
    _ = try await check.run(context, host)
    var own = 0.0
    var alone = 0.0
    for _ in 0..<runs {
        var before = cpuMilliseconds(RUSAGE_SELF)
        _ = try await check.run(context, host)
        own += (cpuMilliseconds(RUSAGE_SELF) - before) / Double(runs)
        guard let scan = scans[pair.check] else { continue }
        before = cpuMilliseconds(RUSAGE_SELF)
        _ = scan()
        alone += (cpuMilliseconds(RUSAGE_SELF) - before) / Double(runs)
    }
    let before = cpuMilliseconds(RUSAGE_CHILDREN)
    for _ in 0..<runs { waitFor(start("/bin/sh", ["-c", "{ \(pair.pipeline); } > /dev/null 2>&1"])) }
    let pipeline = (cpuMilliseconds(RUSAGE_CHILDREN) - before) / Double(runs)
    let name = ([pair.check] + pair.parameters.filter { $0.key != "sampleSeconds" }.map { "\($0)=\($1)" }).joined(separator: " ")
    let kernel = alone > 0 ? "\(rounded(alone)) | \(rounded(own / alone))" : " | "
    print("\(name) | \(rounded(own)) | \(rounded(pipeline)) | \(rounded(own / max(0.01, pipeline))) | \(kernel)")
}
