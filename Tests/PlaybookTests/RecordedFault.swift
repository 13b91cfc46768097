import Glibc
import RecordedHost
import TestSupport

/// A machine with a fault, the alert that tells of it, and what its playbook should say.
struct RecordedFault: Sendable {
    /// Of the playbook; the agent of the machine has it too.
    let playbook: String
    let alert: TestAlert
    /// Absolute path to text; `#` stands for a number that grows while the test runs.
    let files: [String: String]
    /// A part of the diagnosis' summary.
    let summary: String
    /// The operations of the path that succeeded.
    let path: [String]

    /// - Parameters:
    ///   - labels: beside `alertname` and `instance`.
    init(
        _ playbook: String, alert: String, _ labels: [String: String] = [:], files: [String: String], summary: String, path: [String]
    ) {
        self.playbook = playbook
        self.alert = TestAlert(alert, instance: "\(playbook):9100", labels)
        self.files = files
        self.summary = summary
        self.path = path
    }

    static let all = memory + processors + disks + network + kernel

    /// A time that was a minute ago, as the kernel's log counts.
    static func recently(uptimeSeconds: Double) -> Int { Int(max(1, uptimeSeconds - 60) * 1_000_000) }

    private static let memory = [
        RecordedFault(
            "node-memory", alert: "NodeMemoryHighUtilization",
            files: [
                "/dev/kmsg": """
                6,10,RECENTLY,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/x,task=java,pid=77,uid=0
                3,11,RECENTLY,-;Out of memory: Killed process 77 (java) total-vm:3000kB, anon-rss:2048kB, file-rss:0kB

                """,
                "/proc/vmstat": "oom_kill 1\n", "/sys/fs/cgroup/cgroup.controllers": "memory\n",
            ],
            summary: "1 process was killed for want of memory", path: ["oom-kills", "cgroup-memory", "process-collector"])
    ]

    private static let processors = [
        RecordedFault(
            "node-cpu", alert: "NodeCPUHighUsage",
            files: [
                "/proc/loadavg": "41.00 40.00 12.00 42/900 4242\n", "/proc/stat": "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\n",
                "/proc/pressure/cpu": "some avg10=1.00 avg60=0.00 avg300=0.00 total=5\n",
            ],
            summary: "Load 41.0, 40.0, 12.0 on 2 processors", path: ["load-average"]),
        RecordedFault(
            "file-descriptors", alert: "NodeFileDescriptorLimit",
            files: ["/proc/sys/fs/file-nr": "99000\t0\t100000\n", "/proc/sys/fs/nr_open": "1048576\n"], summary: "99000 of 100000",
            path: ["file-descriptors"]),
    ]

    private static let disks = [
        RecordedFault(
            "disk-io", alert: "NodeDiskIOSaturation", ["device": "sda"],
            files: ["/proc/diskstats": "8 0 sda # 0 # #000 0 0 0 0 2 #000 ##000\n", "/sys/block/sda/size": "1"],
            summary: "Disk sda", path: ["disk-saturation", "io-pressure", "uninterruptible-tasks", "process-collector"]),
        RecordedFault(
            "etcd-latency", alert: "etcdHighFsyncDurations",
            files: [
                "/proc/diskstats": "8 0 sda 1 0 1 1 0 0 0 0 0 1 1\n", "/sys/block/sda/size": "1",
                "/proc/pressure/io": "some avg10=50.00 avg60=50.00 avg300=2.00 total=5\nfull avg10=40.00 avg60=40.00 avg300=1.00 total=4\n",
            ],
            summary: "Tasks wait for", path: ["io-pressure"]),
    ]

    private static let network = [
        RecordedFault(
            "conntrack", alert: "NodeHighNumberConntrackEntriesUsed",
            files: [
                "/proc/sys/net/netfilter/nf_conntrack_count": "97000\n", "/proc/sys/net/netfilter/nf_conntrack_max": "100000\n",
                "/proc/net/dev": "",
            ],
            summary: "97", path: ["conntrack", "tcp-health", "process-collector"]),
        RecordedFault(
            "network-errors", alert: "NodeNetworkReceiveErrs", ["device": "eth0"],
            files: [
                "/proc/net/dev": """
                Inter-|   Receive                                                |  Transmit
                 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                  eth0: #0000 #000 #00 0 0 0 0 0 #000 #0 0 0 0 0 0 0

                """, "/sys/class/net/eth0/operstate": "up\n", "/sys/class/net/eth0/carrier": "1\n",
            ],
            summary: "eth0", path: ["network-interfaces"]),
    ]

    private static let kernel = [
        RecordedFault(
            "node-not-ready", alert: "KubeNodeNotReady", ["node": "node-not-ready"],
            files: [
                "/dev/kmsg": "3,20,RECENTLY,-;blk_update_request: I/O error, dev sda, sector 1234 op 0x0:(READ) flags 0x0\n",
                "/proc/vmstat": "oom_kill 0\n", "/proc/self/mountinfo": "27 1 254:200 / / rw - ext4 /dev/vda rw\n",
                "/proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
                "/proc/meminfo": "MemTotal: 8000000 kB\nMemFree: 4000000 kB\nMemAvailable: 6000000 kB\n",
            ],
            summary: "I/O error", path: ["kernel-log"]),
        RecordedFault(
            "hardware", alert: "HostEdacUncorrectableErrorsDetected",
            files: [
                "/sys/devices/system/edac/mc/mc0/ce_count": "0\n", "/sys/devices/system/edac/mc/mc0/ue_count": "3\n", "/dev/kmsg": "",
            ],
            summary: "3", path: ["hardware-errors"]),
    ]
}

/// A recorded machine whose counters grow for as long as it is there.
final class LivingMachine: Sendable {
    let host: RecordedHost
    private let growth: Task<Void, Never>

    init(_ fault: RecordedFault, uptimeSeconds: Double) throws {
        let recently = String(RecordedFault.recently(uptimeSeconds: uptimeSeconds))
        let files = fault.files.mapValues { $0.replacing("RECENTLY", with: recently) }
        let host = try RecordedHost(files.mapValues { $0.replacing("#", with: "1") })
        self.host = host
        let living = files.filter { $0.value.contains("#") }
        growth = Task {
            var number = 1
            while !Task.isCancelled {
                number += 1
                for (path, text) in living { Self.replace(path, text.replacing("#", with: String(number)), host) }
                do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
            }
        }
    }

    func stop() { growth.cancel() }

    /// As a whole, so that nobody reads half of it.
    private static func replace(_ path: String, _ text: String, _ host: RecordedHost) {
        do {
            try host.put(path + ".new", text)
            rename(host.root + path + ".new", host.root + path)
        } catch {
            // The machine is gone with its test.
        }
    }
}
