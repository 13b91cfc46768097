import JSONCoding

/// One run of an operation set on one node, or on several through children.
public struct DiagnosisSpec: ResourceSpec {
    public var operationSet: String
    public var nodeName: String?
    public var podReference: PodReference?
    public var targetSelector: TargetSelector?
    public var parameters: [String: String]?
    /// Seconds from its dispatch to the end at the latest; 3600 when absent.
    public var activeDeadlineSeconds: Int?
    /// Seconds after the end until the object is removed.
    public var ttlSecondsAfterFinished: Int?
    /// One-way: true stops the diagnosis.
    public var cancel: Bool?
    /// Reads run; what mutates is only shown.
    public var dryRun: Bool?

    public static let activeDeadlineSecondsDefault = 3600

    public init(operationSet: String, nodeName: String? = nil, parameters: [String: String]? = nil) {
        self.operationSet = operationSet
        self.nodeName = nodeName
        self.parameters = parameters
    }

    public var effectiveActiveDeadlineSeconds: Int { activeDeadlineSeconds ?? Self.activeDeadlineSecondsDefault }

    /// The target by precedence: nodeName, nodeSelector, nodeNames, podSelector, podReferences, podReference.
    public var target: DiagnosisTarget? {
        if let nodeName, !nodeName.isEmpty { return .node(nodeName) }
        if let selector = targetSelector {
            if let nodeSelector = selector.nodeSelector { return .nodeSelector(nodeSelector) }
            if let names = selector.nodeNames, !names.isEmpty { return .nodes(names) }
            if let podSelector = selector.podSelector { return .podSelector(podSelector) }
            if let pods = selector.podReferences, !pods.isEmpty { return .pods(pods) }
        }
        return podReference.map { .pods([$0]) }
    }
}

public typealias Diagnosis = Resource<DiagnosisSpec>

public enum DiagnosisTarget: Sendable, Hashable {
    case node(String)
    case nodes([String])
    case nodeSelector(KubernetesLabelSelector)
    case podSelector(KubernetesLabelSelector)
    case pods([PodReference])
}

public struct PodReference: Codable, Sendable, Hashable {
    public var namespace: String
    public var name: String
    public var container: String?

    public init(namespace: String, name: String, container: String? = nil) {
        self.namespace = namespace
        self.name = name
        self.container = container
    }
}

public struct TargetSelector: Codable, Sendable, Hashable {
    public var nodeNames: [String]?
    public var nodeSelector: KubernetesLabelSelector?
    public var podReferences: [PodReference]?
    public var podSelector: KubernetesLabelSelector?

    public init(nodeNames: [String]? = nil, nodeSelector: KubernetesLabelSelector? = nil, podReferences: [PodReference]? = nil) {
        self.nodeNames = nodeNames
        self.nodeSelector = nodeSelector
        self.podReferences = podReferences
    }
}

/// Kubernetes' `metav1.LabelSelector`.
public struct KubernetesLabelSelector: Codable, Sendable, Hashable {
    public struct Expression: Codable, Sendable, Hashable {
        public var key: String
        public var `operator`: String
        public var values: [String]?
    }

    public var matchLabels: [String: String]?
    public var matchExpressions: [Expression]?

    public init(matchLabels: [String: String]? = nil, matchExpressions: [Expression]? = nil) {
        self.matchLabels = matchLabels
        self.matchExpressions = matchExpressions
    }
}

public enum DiagnosisPhase: String, Codable, Sendable, CaseIterable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
    /// The agent that runs it cannot be reached.
    case unknown = "Unknown"

    public var isTerminal: Bool { self == .succeeded || self == .failed }
}

public struct DiagnosisStatus: Codable, Sendable, Hashable {
    public var phase: DiagnosisPhase?
    public var conditions: [Condition]?
    public var startTime: Timestamp?
    public var completionTime: Timestamp?
    /// The agent that runs it.
    public var nodeName: String?
    public var succeededPath: [PathEntry]?
    /// One per vertex that failed, up to and including it, as first reached.
    public var failedPaths: [[PathEntry]]?
    public var failedPathCount: Int?
    public var operationResults: [String: ResultValue]?
    public var checkpoint: Checkpoint?
    public var progress: RunProgress?
    public var reason: String?
    public var message: String?
    public var operationSetHash: String?
    /// One line for 3 a.m.
    public var summary: String?
    /// What an agent reported after the phase had become terminal.
    public var lateOutcome: LateOutcome?
    public var steps: [StepStatus]?
    public var aggregate: Aggregate?
    public var observedGeneration: Int64?

    public static let failedPathsMax = 100

    public init() {}
}

/// A result as it is kept inline, or a pointer to where the whole of a large one lies.
public enum ResultValue: Sendable, Hashable, Codable {
    case text(String)
    case reference(ResultReference)

    public static let inlineBytesMax = 16 * 1024
    public static let inlineBytesPerDiagnosisMax = 256 * 1024

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
            self = .text(try container.decode(String.self))
        } catch {
            self = .reference(try container.decode(ResultReference.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .reference(let reference): try container.encode(reference)
        }
    }

    /// The text, or as much of it as is kept inline.
    public var preview: String {
        switch self {
        case .text(let text): text
        case .reference(let reference): reference.preview
        }
    }
}

public struct ResultReference: Codable, Sendable, Hashable {
    public var preview: String
    /// Bytes of the whole.
    public var size: Int
    /// Of the whole, in hexadecimal.
    public var sha256: String
    /// Path below `/api/v1/evidence/{uid}/`.
    public var evidenceRef: String

    public init(preview: String, size: Int, sha256: String, evidenceRef: String) {
        self.preview = preview
        self.size = size
        self.sha256 = sha256
        self.evidenceRef = evidenceRef
    }
}

/// Where a run stands, as the original counts it: the path and the position on it.
public struct Checkpoint: Codable, Sendable, Hashable {
    public var pathIndex: Int
    public var nodeIndex: Int

    public init(pathIndex: Int, nodeIndex: Int) {
        self.pathIndex = pathIndex
        self.nodeIndex = nodeIndex
    }
}

public enum StepPhase: String, Codable, Sendable, CaseIterable {
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
    /// A dry run shows it and does not run it.
    case skipped = "Skipped"
}

public enum StepOutcome: String, Codable, Sendable, CaseIterable {
    case found = "Found"
    case ruledOut = "RuledOut"
    case error = "Error"
}

/// One executed vertex.
public struct StepStatus: Codable, Sendable, Hashable {
    public var id: Int
    public var operation: String
    public var phase: StepPhase
    public var outcome: StepOutcome?
    /// Executions so far, this one included.
    public var attempt: Int
    public var startTime: Timestamp?
    public var completionTime: Timestamp?
    public var reason: String?
    public var message: String?

    public init(
        id: Int, operation: String, phase: StepPhase, outcome: StepOutcome? = nil, attempt: Int, startTime: Timestamp? = nil,
        completionTime: Timestamp? = nil, reason: String? = nil, message: String? = nil
    ) {
        self.id = id
        self.operation = operation
        self.phase = phase
        self.outcome = outcome
        self.attempt = attempt
        self.startTime = startTime
        self.completionTime = completionTime
        self.reason = reason
        self.message = message
    }
}

public struct LateOutcome: Codable, Sendable, Hashable {
    public var phase: DiagnosisPhase
    public var reason: String?
    public var message: String?
    public var dispatchAttempt: Int
    public var time: Timestamp

    public init(phase: DiagnosisPhase, reason: String?, message: String?, dispatchAttempt: Int, time: Timestamp) {
        self.phase = phase
        self.reason = reason
        self.message = message
        self.dispatchAttempt = dispatchAttempt
        self.time = time
    }
}

/// The children of a diagnosis of several nodes, counted.
public struct Aggregate: Codable, Sendable, Hashable {
    public var desired: Int
    public var active: Int
    public var succeeded: Int
    public var failed: Int
    /// The nodes as they were resolved, pinned.
    public var nodes: [String]?

    public init(desired: Int, active: Int, succeeded: Int, failed: Int, nodes: [String]? = nil) {
        self.desired = desired
        self.active = active
        self.succeeded = succeeded
        self.failed = failed
        self.nodes = nodes
    }
}

/// Names of labels and annotations that we set.
public enum WellKnown {
    /// Name of the trigger (hashed when over 63 bytes).
    public static let triggerLabel = "diagnosis.kubediag.org/trigger"
    /// Name of the alert (hashed when it is no label value).
    public static let alertLabel = "diagnosis.kubediag.org/alert"
    public static let fingerprintLabel = "diagnosis.kubediag.org/fingerprint"
    /// Uid of the parent of a child.
    public static let parentLabel = "diagnosis.kubediag.org/parent"
    public static let triggerAnnotation = "diagnosis.kubediag.org/trigger"
    public static let alertAnnotation = "diagnosis.kubediag.org/alert"
    /// Labels of the alert as JSON.
    public static let alertLabelsAnnotation = "diagnosis.kubediag.org/alert-labels"
    public static let startsAtAnnotation = "diagnosis.kubediag.org/alert-starts-at"
    public static let rerunOfAnnotation = "diagnosis.kubediag.org/rerun-of"
    /// What asked for it by itself, without a trigger: `kafka`.
    public static let sourceLabel = "diagnosis.kubediag.org/source"
    /// Where exactly: `topic/partition/offset`.
    public static let sourceAnnotation = "diagnosis.kubediag.org/source"
    public static let traceparentAnnotation = "diagnosis.kubediag.org/traceparent"
    /// Held from the dispatch until the agent has let go.
    public static let dispatchedFinalizer = "diagnosis.kubediag.org/dispatched"
}
