/// Alerts of a rule set that start one playbook, with the labels that they have there.
struct RuleSetAlerts: Sendable {
    enum Target: Sendable, Hashable {
        case node(String)
        case pod(container: String?)
    }

    /// As the README calls them.
    enum RuleSet: String, Sendable {
        case node = "node-mixin"
        case kubernetes = "kubernetes-mixin"
        case kubePrometheus = "kube-prometheus"
        case etcd = "etcd-mixin"
        case coreDNS = "coredns-mixin"
        case awesome = "awesome-prometheus-alerts"
    }

    let playbook: String
    let ruleSet: RuleSet
    let names: [String]
    /// Beside `alertname` and `severity`.
    let labels: [String: String]
    let target: Target
    let parameters: [String: String]

    /// - Parameter names: separated by spaces.
    private init(
        _ playbook: String, _ ruleSet: RuleSet, _ names: String, _ labels: [String: String] = machine, on target: Target = .node("web-07"),
        parameters: [String: String] = [:]
    ) {
        self.playbook = playbook
        self.ruleSet = ruleSet
        self.names = names.split(separator: " ").map(String.init)
        self.labels = labels
        self.target = target
        self.parameters = parameters
    }

    private static let machine = ["instance": "web-07", "job": "node-exporter"]

    private static func machine(_ more: [String: String]) -> [String: String] { machine.merging(more) { $1 } }

    /// By kube-state-metrics, whose own address is the instance.
    private static func object(_ labels: [String: String]) -> [String: String] {
        labels.merging(["instance": "10.244.0.9:8080", "job": "kube-state-metrics"]) { $1 }
    }

    static let all = machines + fileSystems + services + nodes + workloads

    private static let machines = [
        Self("clock", .node, "NodeClockSkewDetected NodeClockNotSynchronising"),
        Self("clock", .awesome, "HostClockSkew HostClockNotSynchronising"),
        Self("conntrack", .node, "NodeHighNumberConntrackEntriesUsed"),
        Self("conntrack", .awesome, "HostConntrackLimit"),
        Self("disk-io", .node, "NodeDiskIOSaturation", machine(["device": "sda"])),
        Self(
            "disk-io", .awesome,
            "HostUnusualDiskIo HostUnusualDiskReadRate HostUnusualDiskWriteRate HostUnusualDiskReadLatency HostUnusualDiskWriteLatency",
            machine(["device": "sda"])),
        Self("disk-io", .awesome, "HostCpuHighIowait", ["instance": "web-07"]),
        Self("file-descriptors", .node, "NodeFileDescriptorLimit"),
        Self("hardware", .node, "NodeRAIDDegraded NodeRAIDDiskFailure", machine(["device": "md0"])),
        Self("hardware", .awesome, "HostEdacCorrectableErrorsDetected HostEdacUncorrectableErrorsDetected", machine(["controller": "0"])),
        Self(
            "hardware", .awesome,
            "HostRaidArrayGotInactive HostRaidDiskFailure HostSoftwareRaidInsufficientDrives HostSoftwareRaidDiskFailure",
            machine(["device": "md0"])),
        Self("hardware", .awesome, "HostFilesystemDeviceError", machine(["device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/data"])),
        Self("hardware", .awesome, "HostPhysicalComponentTooHot HostNodeOvertemperatureAlarm", machine(["chip": "0", "sensor": "temp1"])),
        Self(
            "network-errors", .node, "NodeNetworkReceiveErrs NodeNetworkTransmitErrs", machine(["device": "eth0"]),
            parameters: ["device": "eth0"]),
        Self("network-errors", .node, "NodeBondingDegraded", machine(["master": "bond0"])),
        Self(
            "network-errors", .kubePrometheus, "NodeNetworkInterfaceFlapping", machine(["device": "eth0"]), parameters: ["device": "eth0"]),
        Self(
            "network-errors", .awesome, "HostNetworkReceiveErrors HostNetworkTransmitErrors", machine(["device": "eth0"]),
            parameters: ["device": "eth0"]),
        Self("network-errors", .awesome, "HostNetworkBondDegraded", machine(["master": "bond0"])),
        Self("node-cpu", .node, "NodeCPUHighUsage NodeSystemSaturation"),
        Self("node-cpu", .awesome, "HostHighCpuLoad", ["instance": "web-07"]),
        Self("node-memory", .node, "NodeMemoryHighUtilization NodeMemoryMajorPagesFaults"),
        Self("node-memory", .awesome, "HostOutOfMemory HostOomKillDetected HostMemoryUnderMemoryPressure HostSwapIsFillingUp"),
        Self(
            "systemd-units", .node, "NodeSystemdServiceFailed", machine(["name": "nginx.service", "state": "failed", "type": "simple"]),
            parameters: ["unit": "nginx.service"]),
        Self(
            "systemd-units", .node, "NodeSystemdServiceCrashlooping", machine(["name": "nginx.service"]),
            parameters: ["unit": "nginx.service"]),
        Self(
            "systemd-units", .awesome, "HostSystemdServiceCrashed",
            machine(["name": "nginx.service", "state": "failed", "type": "simple"]),
            parameters: ["unit": "nginx.service"]),
    ]

    private static let volume = machine(["device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/data"])
    private static let full = ["mountpoint": "/data"]
    private static let filling = ["mountpoint": "/data", "availablePercent": "100"]

    private static let fileSystems = [
        Self("filesystem-space", .node, "NodeFilesystemAlmostOutOfSpace", volume, parameters: full),
        Self("filesystem-space", .node, "NodeFilesystemSpaceFillingUp", volume, parameters: filling),
        Self("filesystem-space", .awesome, "HostOutOfDiskSpace", volume, parameters: full),
        Self("filesystem-space", .awesome, "HostDiskWillFillIn24Hours HostDiskMayFillIn24Hours", volume, parameters: filling),
        Self("filesystem-inodes", .node, "NodeFilesystemAlmostOutOfFiles", volume, parameters: full),
        Self("filesystem-inodes", .node, "NodeFilesystemFilesFillingUp", volume, parameters: filling),
        Self("filesystem-inodes", .awesome, "HostOutOfInodes", volume, parameters: full),
        Self("filesystem-inodes", .awesome, "HostInodesWillFillIn24Hours HostInodesMayFillIn24Hours", volume, parameters: filling),
    ]

    private static let member = ["instance": "10.0.0.5:2381", "job": "etcd"]
    private static let etcd = Target.node("10.0.0.5:2381")
    private static let cluster = Target.node("cluster")

    private static let services = [
        Self("etcd-latency", .etcd, "etcdHighFsyncDurations etcdHighCommitDurations etcdNoLeader", member, on: etcd),
        Self("etcd-latency", .etcd, "etcdMemberCommunicationSlow", member.merging(["To": "8211f1d0f64f3269"]) { $1 }, on: etcd),
        Self(
            "etcd-latency", .etcd, "etcdGRPCRequestsSlow",
            member.merging(["grpc_method": "Put", "grpc_service": "etcdserverpb.KV"]) { $1 },
            on: etcd),
        Self("etcd-latency", .etcd, "etcdHighNumberOfLeaderChanges", ["job": "etcd"], on: cluster),
        Self(
            "etcd-latency", .awesome,
            """
            EtcdHighFsyncDurations EtcdHighFsyncDurationsCritical EtcdHighCommitDurations EtcdMemberCommunicationSlow EtcdNoLeader \
            EtcdHighNumberOfLeaderChanges
            """, member, on: etcd),
        Self("etcd-latency", .awesome, "EtcdGrpcRequestsSlow", ["grpc_method": "Put", "grpc_service": "etcdserverpb.KV"], on: cluster),
        Self("dns-latency", .coreDNS, "CoreDNSLatencyHigh", ["server": "dns://:53", "zone": "."], on: cluster),
        Self("dns-latency", .coreDNS, "CoreDNSErrorsHigh CoreDNSForwardHealthcheckBrokenCount", ["job": "kube-dns"], on: cluster),
        Self(
            "dns-latency", .coreDNS, "CoreDNSForwardLatencyHigh CoreDNSForwardErrorsHigh CoreDNSForwardHealthcheckFailureCount",
            ["to": "10.0.0.2:53"], on: cluster, parameters: ["resolver": "10.0.0.2:53"]),
    ]

    private static let nodes = [
        Self(
            "node-not-ready", .kubernetes, "KubeNodeNotReady KubeNodePressure",
            object(["node": "web-07", "condition": "Ready", "status": "true"])),
        Self(
            "node-not-ready", .kubernetes, "KubeNodeUnreachable",
            object(["node": "web-07", "key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"])),
        Self("node-not-ready", .kubernetes, "KubeNodeReadinessFlapping", ["node": "web-07"]),
        Self(
            "node-not-ready", .kubernetes, "KubeNodeEviction",
            ["node": "web-07", "instance": "10.0.0.7:10250", "eviction_signal": "memory.available"]),
        Self(
            "node-not-ready", .kubernetes, "KubeletPlegDurationHigh",
            ["node": "web-07", "instance": "10.0.0.7:10250", "quantile": "0.99"]),
        Self(
            "node-not-ready", .kubernetes, "KubeletInstanceUnreachable", ["instance": "10.0.0.7:10250", "job": "kubelet"],
            on: .node("10.0.0.7:10250")),
        Self("node-not-ready", .kubernetes, "KubeletDown", ["job": "kubelet"], on: cluster),
        Self(
            "node-not-ready", .awesome, "KubernetesNodeNotReady KubernetesNodeReady KubernetesMemoryPressure KubernetesDiskPressure",
            object(["node": "web-07", "status": "true"])),
    ]

    private static let pod = ["namespace": "shop", "pod": "cart-0"]
    private static let container = ["namespace": "shop", "pod": "cart-0", "container": "main"]
    private static let set = object(["namespace": "shop", "statefulset": "cart"])
    private static let setNames = [
        "collector.kubernetes.statefulset.namespace": "shop", "collector.kubernetes.statefulset.name": "cart",
    ]

    private static let workloads = [
        Self("cpu-throttling", .kubernetes, "CPUThrottlingHigh", container, on: .pod(container: "main")),
        Self("cpu-throttling", .awesome, "ContainerHighThrottleRate", container, on: .pod(container: "main")),
        Self("pod-crash-looping", .kubernetes, "KubePodCrashLooping", object(container), on: .pod(container: "main")),
        Self(
            "pod-crash-looping", .awesome, "KubernetesPodCrashLooping KubernetesContainerOomKiller", object(container),
            on: .pod(container: "main")),
        Self("pod-not-ready", .kubernetes, "KubePodNotReady", pod, on: .pod(container: nil)),
        Self("pod-not-ready", .kubernetes, "KubeContainerWaiting", container, on: .pod(container: "main")),
        Self("pod-not-ready", .awesome, "KubernetesPodNotHealthy", pod, on: .pod(container: nil)),
        Self(
            "statefulset-replicas", .kubernetes,
            "KubeStatefulSetReplicasMismatch KubeStatefulSetGenerationMismatch KubeStatefulSetUpdateNotRolledOut", set, on: cluster,
            parameters: setNames),
        Self(
            "statefulset-replicas", .awesome,
            """
            KubernetesStatefulsetDown KubernetesStatefulsetReplicasMismatch KubernetesStatefulsetGenerationMismatch \
            KubernetesStatefulsetUpdateNotRolledOut
            """, set, on: cluster, parameters: setNames),
    ]
}
