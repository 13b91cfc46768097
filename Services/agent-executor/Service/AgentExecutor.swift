import AgentExecutorCore
import HTTPClient
import HTTPServer
import Logging
import Model
import ProcessRunner
import ServiceKit
import ServiceStore

/// agent-executor wired: takes jobs for its node, runs them, reports, and serves what they left.
public struct AgentExecutor: Sendable {
    public static let program = ServiceProgram(
        name: "agent-executor",
        summary: "Runs the diagnoses of one node: takes jobs from the scheduler, runs their steps, reports and keeps the evidence.",
        defaultPort: 8090, settings: AgentSettings.all
    ) { context in
        try await AgentExecutor(context).assembly
    }

    public let assembly: ServiceAssembly

    public init(_ context: ServiceContext) async throws {
        let configuration = context.configuration
        let identity = try AgentIdentity(configuration)
        try AdvertisedAddress.check(configuration)
        let directory = try context.requiredDataDirectory()
        let condition = context.health.condition("SchedulerRegistered", missing: "not registered with the scheduler yet")
        let store = try ServiceStore.open(context)
        do {
            let parts = try await AgentParts(
                context, identity: identity, directory: directory, store: store, condition: condition)
            assembly = parts.assembly
        } catch {
            await store.close()
            throw error
        }
    }
}

/// The address at which the scheduler reaches this agent.
enum AdvertisedAddress {
    private static let wildcards = ["0.0.0.0", "::"]

    /// What is wrong with it, as far as that shows before listening.
    static func check(_ configuration: Configuration) throws(ConfigurationFaults) {
        let listen = configuration[CommonSettings.listen]
        let origin = configuration.origin(of: AgentSettings.advertiseAddress)
        guard let url = configuration[AgentSettings.advertiseAddress] else {
            guard wildcards.contains(listen) else { return }
            throw ConfigurationFaults([
                ConfigurationFault(origin, "is needed when --listen is \(listen): say under which address the scheduler reaches this agent")
            ])
        }
        let isName = url.host.contains { $0.isLetter } && !url.host.contains(":")
        let known = configuration[CommonSettings.allowedHosts].map { $0.lowercased() } + [listen, "localhost"]
        if isName, !known.contains(url.host) {
            throw ConfigurationFaults([
                ConfigurationFault(origin, "says \(url.host), to which this process does not answer; add --allowed-hosts \(url.host)")
            ])
        }
    }

    static func url(_ configuration: Configuration, bound: BoundAddress) -> String {
        if let url = configuration[AgentSettings.advertiseAddress] { return url.description }
        return own(bound).map(\.description) ?? "http://\(bound.host):\(bound.port)"
    }

    /// Where this process reaches itself.
    static func own(_ bound: BoundAddress) -> HTTPURL? {
        let host = bound.host == "0.0.0.0" ? "127.0.0.1" : bound.host == "::" ? "::1" : bound.host
        return HTTPURL("http://\(host.contains(":") ? "[\(host)]" : host):\(bound.port)")
    }
}
