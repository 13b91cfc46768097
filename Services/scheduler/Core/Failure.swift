/// Why a diagnosis failed: one stable word for machines, one sentence for people.
package struct Failure: Sendable, Hashable, Codable {
    package var reason: String
    package var message: String

    package init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }

    package init(_ reason: FailureReason, _ message: String) {
        self.init(reason: reason.rawValue, message: message)
    }
}

/// The reasons that the scheduler gives; an agent's reports bring their own (`NothingFound`, `RuntimeUnsupported`, …).
package enum FailureReason: String, Sendable, CaseIterable {
    case cancelled = "Cancelled"
    case deadlineExceeded = "DeadlineExceeded"
    /// Pending for too long: no ready agent took it.
    case agentNotReady = "AgentNotReady"
    /// Pending for too long: it changes something, and as many nodes as may be were being changed.
    case blastRadius = "BlastRadius"
    /// The agent came back with an empty journal, so nobody knows which steps ran, and one of them might have changed something.
    case agentJournalLost = "AgentJournalLost"
    /// The agent was not heard of until the Unknown deadline.
    case agentLost = "AgentLost"
    /// The Agent object was deleted.
    case agentRemoved = "AgentRemoved"
    /// The agent refused the job for good.
    case jobRejected = "JobRejected"
    case nodeNotFound = "NodeNotFound"
    /// The node is one of Kubernetes', and nobody runs there for us.
    case agentNotFound = "AgentNotFound"
    case nodeAmbiguous = "NodeAmbiguous"
    case podNotFound = "PodNotFound"
    /// Kubernetes has not found a node for the pod.
    case podNotScheduled = "PodNotScheduled"
    /// A cluster is configured, and its kube-apiserver does not say what there is.
    case kubernetesNotConnected = "KubernetesNotConnected"
    /// A pod or its labels, and no Kubernetes to ask.
    case noPodSource = "NoPodSource"
    /// Labels of nodes, and no Kubernetes to ask.
    case noNodeSource = "NoNodeSource"
    case noTarget = "NoTarget"
    case noNodesMatched = "NoNodesMatched"
    /// More nodes than one diagnosis may have.
    case tooManyNodes = "TooManyNodes"
    case operationSetNotFound = "OperationSetNotFound"
    case operationSetNotReady = "OperationSetNotReady"
    /// A diagnosis of several nodes whose children did not all succeed.
    case childrenFailed = "ChildrenFailed"
    /// A child's name belongs to a diagnosis that somebody else made.
    case childNameTaken = "ChildNameTaken"
}
