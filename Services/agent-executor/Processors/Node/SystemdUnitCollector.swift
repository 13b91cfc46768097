import AgentOperations
import JSONCoding
import Model

/// The properties of systemd units.
struct SystemdUnitCollector: ProcessorOperation {
    static let unitsMax = 32
    static let resultKey = "collector.systemd_unit_list.result"
    static let names = Parameter<String>.required(
        "collector.systemd_unit_list.parameter",
        TextRule("1 to \(unitsMax) names of units, parted by commas, none beginning with '-'") { text in
            let names = text.split(separator: ",", omittingEmptySubsequences: false)
            return names.count <= unitsMax && names.allSatisfy { isName(String($0)) }
        }, "the units: ssh.service,docker.service")
    static let systemctl = BuiltInDeclaration.Tool("systemctl", package: "systemd")

    static let declaration = BuiltInDeclaration(
        "systemdUnitCollector", "Reads the properties of systemd units.", parameters: [names.definition],
        results: [
            .init(
                resultKey,
                .array(
                    "The units, in the order in which they were named.",
                    of: .object(
                        "One unit.",
                        [
                            .required("name", .string("Its name.")),
                            .required(
                                "properties",
                                .array(
                                    "What `systemctl show` says of it.",
                                    of: .object(
                                        "One property.",
                                        [.required("name", .string("Its name.")), .required("value", .string("Its value."))]))),
                        ]), max: unitsMax))
        ], tools: [systemctl, NodeNamespaces.nsenter])

    /// As systemd allows it, but for what an option or a path begins with.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255 && !name.hasPrefix("-")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x3A, 0x40, 0x5C: true
                default: false
                }
            }
    }

    func run(_ context: BuiltInContext, on host: Host) async throws(BuiltInFault) -> BuiltInOutcome {
        let names = context[Self.names].split(separator: ",").map(String.init)
        var units: [JSON] = []
        for name in names {
            let output = try await NodeNamespaces(host: host).run(Self.systemctl, ["show", "--no-pager", "--", name], seconds: 10)
            guard output.status == 0 else { throw .failed("systemctl show \(name): \(output.lastLine)") }
            let properties = Self.properties(output.text)
            // Of a unit that it does not know it says so too: LoadState=not-found.
            guard !properties.isEmpty else { throw .failed("systemctl show \(name) said nothing of the unit") }
            units.append(["name": .string(name), "properties": .array(properties)])
        }
        return .done([.init(Self.resultKey, .json(.array(units)))])
    }

    private static func properties(_ text: String) -> [JSON] {
        text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? ["name": .string(String(parts[0])), "value": .string(String(parts[1]))] : nil
        }
    }
}
