import AgentOperations
import JSONCoding
import Model

/// The containers that run on this node: Docker's, or where there is no dockerd, those that crictl shows.
struct ContainerCollector: ProcessorOperation {
    let docker: DockerAPI

    static let listKey = "collector.kubernetes.container.list"
    static let runtimeKey = "collector.kubernetes.container.runtime"

    static let declaration = BuiltInDeclaration(
        "containerCollector", "Lists the containers that run on this node, by Docker's API or by crictl.",
        results: [
            .init(listKey, .array("The containers, as the runtime has them.", of: .anything("A container."), max: 10_000)),
            .init(runtimeKey, .choice("Whose containers they are: Docker's form differs from that of the CRI.", ["docker", "cri"])),
        ], privileges: ["access to Docker's socket, or to that of the CRI"], tools: [CRI.crictl, NodeNamespaces.nsenter])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        do throws(BuiltInFault) {
            let list = try await docker.get("/containers/json", context, host)
            guard list.arrayValue != nil else { throw .failed("\(docker.socket) answers no list of containers") }
            return outcome(list, "docker")
        } catch {
            guard case .unavailable(let withoutDocker) = error else { throw error }
            do throws(BuiltInFault) {
                guard let list = try await CRI(host: host).ask(["ps", "-o", "json"])["containers"], list.arrayValue != nil else {
                    throw .failed("crictl answers no list of containers")
                }
                return outcome(list, "cri")
            } catch {
                guard case .toolMissing = error else { throw error }
                throw .unavailable("no container runtime can be asked: \(withoutDocker); \(error.message)")
            }
        }
    }

    private func outcome(_ list: JSON, _ runtime: String) -> BuiltInOutcome {
        .done([.init(Self.listKey, .json(list)), .init(Self.runtimeKey, .text(runtime))])
    }
}

/// What dockerd says of itself.
struct DockerInfoCollector: ProcessorOperation {
    let docker: DockerAPI

    static let infoKey = "collector.kubernetes.docker.info"

    static let declaration = BuiltInDeclaration(
        "dockerInfoCollector", "Reads what dockerd says of itself and the node.",
        results: [.init(infoKey, .anything("The answer of Docker's `GET /info`."))], privileges: ["access to Docker's socket"])

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        .done([.init(Self.infoKey, .json(try await docker.get("/info", context, host)))])
    }
}
