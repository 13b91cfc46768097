import JSONCoding
import TestSupport

/// A machine with a fault, the alert that tells of it, and what its playbook should say.
struct RecordedFault: Sendable {
    let playbook: String
    /// Of the machine's agent.
    let node: String
    let alert: TestAlert
    /// Absolute path to text; `#` stands for a number of four digits that grows while the test runs, `#*4` for its fourfold.
    let files: [String: String]
    /// Scripts by the names of the programs that they stand for.
    let tools: [String: String]
    /// A part of the diagnosis' summary.
    let summary: String
    /// Of the finding of the path's first check.
    let severity: String
    /// Among the evidence of that finding.
    let evidence: [String: JSON]
    /// The operations of the path that succeeded.
    let path: [String]

    /// - Parameters:
    ///   - node: the playbook's name unless given.
    ///   - labels: beside `alertname` and `instance`.
    init(
        _ playbook: String, on node: String? = nil, alert: String, _ labels: [String: String] = [:], files: [String: String] = [:],
        tools: [String: String] = [:], summary: String, severity: String, evidence: [String: JSON] = [:], path: [String]
    ) {
        self.playbook = playbook
        self.node = node ?? playbook
        self.alert = TestAlert(alert, instance: "\(node ?? playbook):9100", labels)
        self.files = files
        self.tools = tools
        self.summary = summary
        self.severity = severity
        self.evidence = evidence
        self.path = path
    }

    static let all = memory + processors + disks + network + kernel + keepers

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
            summary: "1 process was killed for want of memory", severity: "Critical", evidence: ["kills since the machine started": 1],
            path: ["oom-kills-machine", "cgroup-memory", "process-collector"])
    ]

    private static let processors = [
        RecordedFault(
            "node-cpu", alert: "NodeCPUHighUsage",
            files: [
                "/proc/loadavg": "41.00 40.00 12.00 42/900 4242\n", "/proc/stat": "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\n",
                "/proc/pressure/cpu": "some avg10=1.00 avg60=0.00 avg300=0.00 total=5\n",
            ],
            summary: "Load 41.0, 40.0, 12.0 on 2 processors", severity: "Critical", path: ["load-average"]),
        RecordedFault(
            "file-descriptors", alert: "NodeFileDescriptorLimit",
            files: ["/proc/sys/fs/file-nr": "99000\t0\t100000\n", "/proc/sys/fs/nr_open": "1048576\n"], summary: "99000 of 100000",
            severity: "Critical", path: ["file-descriptors"]),
    ]

    private static let disks = [
        RecordedFault(
            "disk-io", alert: "NodeDiskIOSaturation", ["device": "sda"],
            files: ["/proc/diskstats": "8 0 sda # 0 # #000 0 0 0 0 2 #000 #0000\n", "/sys/block/sda/size": "1"],
            summary: "Disk sda", severity: "Warning",
            path: ["disk-saturation", "io-pressure", "uninterruptible-tasks", "process-collector"]),
        RecordedFault(
            "etcd-latency", alert: "etcdHighFsyncDurations",
            files: [
                "/proc/diskstats": "8 0 sda 1 0 1 1 0 0 0 0 0 1 1\n", "/sys/block/sda/size": "1",
                "/proc/pressure/io": "some avg10=50.00 avg60=50.00 avg300=2.00 total=5\nfull avg10=40.00 avg60=40.00 avg300=1.00 total=4\n",
            ],
            summary: "Tasks wait for", severity: "Critical", path: ["io-pressure"]),
    ]

    private static let network = [
        RecordedFault(
            "conntrack", alert: "NodeHighNumberConntrackEntriesUsed",
            files: [
                "/proc/sys/net/netfilter/nf_conntrack_count": "97000\n", "/proc/sys/net/netfilter/nf_conntrack_max": "100000\n",
                "/proc/net/dev": "",
            ],
            summary: "97", severity: "Critical", path: ["conntrack", "tcp-health", "process-collector"]),
        RecordedFault(
            "network-errors", alert: "NodeNetworkReceiveErrs", ["device": "eth0"],
            files: [
                "/proc/net/dev": """
                Inter-|   Receive                                                |  Transmit
                 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
                  eth0: #0000 #000 #00 0 0 0 0 0 #000 #0 0 0 0 0 0 0

                """, "/sys/class/net/eth0/operstate": "up\n", "/sys/class/net/eth0/carrier": "1\n",
            ],
            summary: "eth0", severity: "Warning", path: ["network-interfaces"]),
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
            summary: "I/O error", severity: "Critical", evidence: ["I/O error": 1], path: ["kernel-log-node"]),
        RecordedFault(
            "hardware", alert: "HostEdacUncorrectableErrorsDetected",
            files: [
                "/sys/devices/system/edac/mc/mc0/ce_count": "0\n", "/sys/devices/system/edac/mc/mc0/ue_count": "3\n", "/dev/kmsg": "",
            ],
            summary: "3", severity: "Critical", path: ["hardware-errors"]),
        RecordedFault(
            "hardware", on: "degraded-array", alert: "NodeRAIDDegraded", ["device": "md0"],
            files: [
                "/dev/kmsg": "2,30,RECENTLY,-;md/raid1:md0: Disk failure on sdb1, disabling device.\n",
                "/sys/devices/system/edac/mc/mc0/ce_count": "0\n", "/sys/devices/system/edac/mc/mc0/ue_count": "0\n",
            ], summary: "md/raid1:md0: Disk failure on sdb1", severity: "Critical", evidence: ["failed disk of a RAID array": 1],
            path: ["kernel-log-hardware"]),
    ]

    /// What programs of the machine tell: those that keep its clock and its units.
    private static let keepers = [
        RecordedFault(
            "clock", alert: "NodeClockSkewDetected",
            tools: [
                "chronyc": """
                #!/bin/sh
                echo 'C0A80001,ntp.example,3,1790000000.1,0.750000,0.00001,0.00002,1.5,0.01,0.02,0.001,0.002,64.2,Normal'
                """
            ], summary: "The clock is off by 750 ms.", severity: "Critical",
            evidence: ["offset": 0.75, "synchronized": "yes", "source": "ntp.example"], path: ["clock-sync"]),
        RecordedFault(
            "clock", on: "unkept-clock", alert: "NodeClockNotSynchronising",
            tools: ["timedatectl": "#!/bin/sh\necho NTP=no\necho NTPSynchronized=no\n"], summary: "The clock is not synchronized.",
            severity: "Warning", evidence: ["told by": "systemd", "synchronized": "no"], path: ["clock-sync"]),
        RecordedFault(
            "systemd-units", alert: "NodeSystemdServiceFailed", ["name": "nginx.service", "state": "failed", "type": "simple"],
            files: ["/dev/kmsg": "", "/proc/vmstat": "oom_kill 0\n", "/proc/sys/kernel/osrelease": "6.1.0-13-amd64\n"],
            tools: [
                "systemctl": """
                #!/bin/sh
                case "$*" in *' -- nginx.service') ;; *) echo "asked for other units: $*" >&2; exit 1 ;; esac
                printf 'Id=nginx.service\\nLoadState=loaded\\nActiveState=failed\\nSubState=failed\\n'
                printf 'Result=exit-code\\nExecMainStatus=203\\nNRestarts=2\\n'
                """
            ], summary: "1 unit has failed: nginx.service.", severity: "Warning",
            evidence: ["nginx.service": "failed (failed), result exit-code, exit status 203, 2 restarts"],
            path: ["failed-units", "oom-kills", "kernel-log", "boot-history", "process-collector"]),
    ]
}
