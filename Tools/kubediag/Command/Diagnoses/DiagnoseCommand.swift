import ArgumentParser
import JSONCoding
import Model
import ResourceClient

struct DiagnoseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diagnose", abstract: "Run an operation set on a node, or on that of a pod.",
        discussion: """
            With --follow the steps are shown as they run and the exit status tells how it ended: 0 succeeded, 1 failed,
            3 nothing found, 4 unknown. Ctrl-C stops the showing, not the diagnosis.

              kubediag diagnose disk-full --node web-07 --param mountpoint=/var --follow
              kubediag diagnose pod-not-ready --pod shop/cart-0 --param approve=remount
            """)

    @OptionGroup var connection: ConnectionOptions
    @Argument(help: "Name of the operation set.") var operationSet: String
    @Option(help: "Node to run it on; repeat it for several, each of which gets a diagnosis of its own.") var node: [String] = []
    @Option(
        help: ArgumentHelp(
            "Pod that it is about, on whose node it runs unless --node says another; repeat it for several.", valueName: "namespace/name"))
    var pod: [PodName] = []
    @Option(name: .customLong("param"), help: ArgumentHelp("Parameter for the operations; may be repeated.", valueName: "key=value"))
    var parameters: [KeyValue] = []
    @Flag(name: .shortAndLong, help: "Show it until it ends.") var follow = false
    @Flag(help: "Only what reads is run; what changes something is shown.") var dryRun = false
    @Option(name: .shortAndLong, help: "Namespace.") var namespace: String = API.defaultNamespace
    @Option(help: "Give up following after that many seconds; exit status 4.") var timeout: Int?

    func validate() throws {
        if node.isEmpty, pod.isEmpty { throw ValidationError("Say where: --node NAME or --pod NAMESPACE/NAME.") }
        guard node.isEmpty || pod.isEmpty || node.count == 1 && pod.count == 1 else {
            throw ValidationError("Of --node and --pod, which together mean one pod on one node, one may be there several times.")
        }
    }

    func run() async throws {
        let connection = try connection.open()
        // A mistyped name is told now rather than as a failed diagnosis.
        _ = try await connection.get(OperationSet.definition, namespace: "", name: operationSet)
        let created = try await create(connection)
        guard follow else {
            Terminal.standardOutput.line("diagnosis/\(created.name) created")
            Terminal.standardOutput.line("Watch it: kubediag wait \(created.name)")
            return
        }
        let session = FollowSession(
            connection: connection, namespace: namespace, name: created.name, timeoutSeconds: timeout, isVerbose: true)
        let end = try await session.run()
        throw CommandEnd(status: DiagnosisView(diagnosis: end, timeouts: [:], now: Clock.now()).exitStatus)
    }

    /// For its name.
    private var target: String {
        if pod.count > 1 { return "\(pod.count)-pods" }
        if node.count > 1 { return "\(node.count)-nodes" }
        return pod.first?.name ?? node[0]
    }

    private func create(_ connection: Connection) async throws -> Diagnosis {
        var spec = DiagnosisSpec(operationSet: operationSet)
        let pods = pod.map { PodReference(namespace: $0.namespace, name: $0.name) }
        if node.count > 1 || pods.count > 1 {
            spec.targetSelector = pods.isEmpty ? TargetSelector(nodeNames: node) : TargetSelector(podReferences: pods)
        } else {
            spec.nodeName = node.first
            spec.podReference = pods.first
        }
        if !parameters.isEmpty {
            spec.parameters = Dictionary(parameters.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        }
        if dryRun { spec.dryRun = true }
        // A name that is taken is drawn again; more than one draw is rare.
        for _ in 0..<5 {
            let name = DiagnosisName.make(operationSet: operationSet, node: target)
            let diagnosis = Diagnosis(metadata: ObjectMeta(name: name, namespace: namespace), spec: spec)
            do {
                return try await connection.resourceCall { client throws(ResourceClientError) in
                    try await client.create(diagnosis, WriteParameters(fieldManager: "kubediag", fieldValidation: "Strict"))
                }
            } catch let refusal as ServerRefusal where refusal.error.reason == "AlreadyExists" {
                continue
            }
        }
        throw CommandFailure("no free name was found for the diagnosis; try again")
    }
}

/// `key=value` on the command line.
struct KeyValue: ExpressibleByArgument, Sendable {
    let key: String
    let value: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        key = String(parts[0])
        value = String(parts[1])
    }
}

/// `namespace/name` on the command line.
struct PodName: ExpressibleByArgument, Sendable {
    let namespace: String
    let name: String

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        namespace = String(parts[0])
        name = String(parts[1])
    }
}

/// Names of diagnoses that people start: `disk-full-web-07-k2m8`.
enum DiagnosisName {
    /// Letters and digits that are not taken for one another.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
    private static let partMax = 60

    static func make(operationSet: String, node: String) -> String {
        let label = node.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") ? $0 : "-" }
        let suffix = (0..<4).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }
        return "\(trimmed(operationSet))-\(trimmed(String(label)))-\(String(suffix))"
    }

    private static func trimmed(_ part: String) -> String {
        var part = part.prefix(partMax)
        while part.last == "-" || part.last == "." { part.removeLast() }
        while part.first == "-" || part.first == "." { part.removeFirst() }
        return part.isEmpty ? "x" : String(part).replacing("..", with: ".").replacing(".-", with: "-").replacing("-.", with: "-")
    }
}
