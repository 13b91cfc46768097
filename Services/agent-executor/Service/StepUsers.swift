import AgentExecutorCore
import Model
import ProcessRunner
import ServiceKit

/// As whom scripts and functions run.
struct StepUsers: Sendable {
    /// Who the agent is.
    let own: ProcessUser
    /// As whom an operation runs that names nobody.
    let standard: ProcessUser

    init(_ configuration: Configuration) throws(ConfigurationFaults) {
        own = .own
        let name = configuration[AgentSettings.runAsUser]
        guard let user = name.map({ ProcessUser($0) }) ?? (own.isRoot ? ProcessUser("nobody") : own) else {
            throw Self.fault(configuration, "\"\(name ?? "nobody")\" is no user of this machine")
        }
        guard own.isRoot || user.userID == own.userID else {
            throw Self.fault(
                configuration, "\(user.name) is another user than \(own.name), as whom this agent runs; it has to run as root for that")
        }
        standard = user
    }

    private static func fault(_ configuration: Configuration, _ message: String) -> ConfigurationFaults {
        ConfigurationFaults([ConfigurationFault(configuration.origin(of: AgentSettings.runAsUser), message)])
    }

    /// Whether scripts may run as somebody else than the agent.
    var canChange: Bool { own.isRoot }

    /// The user of an execution. Throws `UserUnavailable`.
    func user(for settings: ExecutionSettings?) throws(StepFaultError) -> ProcessUser {
        guard let name = settings?.runAsUser else { return standard }
        guard let user = ProcessUser(name) else { throw StepFaultError(.userUnavailable, "runAsUser \"\(name)\" is no user of this node") }
        guard own.isRoot || user.userID == own.userID else {
            throw StepFaultError(
                .userUnavailable,
                "runs as \(user.name), which an agent that runs as \(own.name) (uid \(own.userID)) can't become; only one that runs as root can"
            )
        }
        return user
    }
}

extension ProcessCommand {
    /// Has it run as the user, with no way to become more than that.
    mutating func run(as user: ProcessUser, from own: ProcessUser) {
        if user.userID != own.userID { self.user = user }
        forbidsNewPrivileges = !user.isRoot
        fileMask = 0o077
    }
}
