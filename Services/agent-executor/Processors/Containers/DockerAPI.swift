import AgentOperations
import Glibc
import HTTPClient
import JSONCoding
import Model

/// Where the container runtimes of this node are.
public struct ContainerRuntimes: Sendable {
    /// The Unix socket on which dockerd serves its API.
    public var dockerSocket: String
    /// Where dockerd writes its stacks (`--exec-root`).
    public var dockerExecRoot: String
    /// Where containerd writes its stacks.
    public var containerdTemporaryFolder: String

    public init(
        dockerSocket: String = "/var/run/docker.sock", dockerExecRoot: String = "/var/run/docker",
        containerdTemporaryFolder: String = "/tmp"
    ) {
        self.dockerSocket = dockerSocket
        self.dockerExecRoot = dockerExecRoot
        self.containerdTemporaryFolder = containerdTemporaryFolder
    }
}

/// The Docker Engine API over its Unix socket, of the daemon's own version.
struct DockerAPI: Sendable {
    let socket: String

    private static let secondsMax = 20.0
    private static let answerBytesMax = 8 << 20

    func get(_ path: String, _ context: BuiltInContext, _ host: Host) async throws(BuiltInFault) -> JSON {
        let request = ClientRequest(
            url: "http://docker\(path)", headers: ["Accept": "application/json"],
            timeoutSeconds: min(context.timeoutSeconds, Self.secondsMax),
            responseBytesMax: Self.answerBytesMax, unixSocketPath: socket)
        let response: ClientResponse
        do throws(HTTPClientError) {
            response = try await host.http.send(request)
        } catch {
            throw fault(error, path)
        }
        let body: JSON
        do throws(JSON.ParseError) {
            body = try JSON(parsing: response.body)
        } catch {
            throw .failed("GET \(path) of \(socket): the answer (\(response.status)) is not JSON: \(error)")
        }
        guard response.status == 200 else {
            throw .failed("GET \(path) of \(socket): \(body["message"]?.stringValue ?? "status \(response.status)")")
        }
        return body
    }

    private func fault(_ error: HTTPClientError, _ path: String) -> BuiltInFault {
        switch error {
        case .cancelled: .cancelled
        case .timedOut: .timedOut("\(socket) did not answer in time: GET \(path)")
        case .connectFailed(let text, _) where text.hasSuffix(String(cString: strerror(EACCES))):
            .privilegeMissing(what: "connecting to \(socket)", needs: "the agent to run as root or in the socket's group")
        case .connectFailed(let text, _): .unavailable("dockerd can't be reached: \(text)")
        default: .failed("GET \(path) of \(socket): \(error)")
        }
    }
}
