import Model

/// The command line, taken apart.
struct FlagValues {
    var values: [GivenValue] = []
    var configurationPath: String?
    var wantsHelp = false
    var wantsVersion = false
}

extension ConfigurationReader {
    /// Takes `--name value`, `--name=value`, `--switch` and `--no-switch`; anything else is a fault.
    mutating func takeFlags(_ arguments: [String]) -> FlagValues {
        var result = FlagValues()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--help", "-h": result.wantsHelp = true
            case "--version": result.wantsVersion = true
            default:
                guard argument.hasPrefix("--"), argument.count > 2 else {
                    addFault(ConfigurationFault(.flag(argument), "is no flag; this program takes flags only (see --help)"))
                    continue
                }
                takeFlag(argument, &rest, into: &result)
            }
        }
        return result
    }

    private mutating func takeFlag(_ argument: String, _ rest: inout ArraySlice<String>, into result: inout FlagValues) {
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let attached = parts.count == 2 ? String(parts[1]) : nil
        let origin = ConfigurationFault.Origin.flag("--\(name)")
        if name == "config" {
            guard let path = attached ?? takeValue(&rest) else {
                addFault(ConfigurationFault(origin, "needs a FILE"))
                return
            }
            result.configurationPath = path
            return
        }
        if let definition = table.definition(named: name) {
            if definition.isSwitch {
                result.values.append(GivenValue(definition: definition, texts: [attached ?? "true"], origin: origin))
            } else if let value = attached ?? takeValue(&rest) {
                result.values.append(GivenValue(definition: definition, texts: [value], origin: origin))
            } else {
                addFault(ConfigurationFault(origin, "needs a value (\(definition.placeholder))"))
            }
            return
        }
        if name.hasPrefix("no-"), attached == nil, let definition = table.definition(named: name.dropFirst(3)), definition.isSwitch {
            result.values.append(GivenValue(definition: definition, texts: ["false"], origin: origin))
            return
        }
        // The value of an unknown flag would otherwise be a second fault that says nothing.
        if attached == nil, rest.first?.hasPrefix("-") == false { rest.removeFirst() }
        let near = NearestName.find(name, among: table.definitions.map(\.name) + ["config", "help", "version"])
        addFault(ConfigurationFault(origin, "is no flag of this program" + (near.map { "; did you mean --\($0)?" } ?? " (see --help)")))
    }

    /// The next argument, unless it is a flag itself.
    private func takeValue(_ rest: inout ArraySlice<String>) -> String? {
        guard let next = rest.first, !next.hasPrefix("--") else { return nil }
        return rest.removeFirst()
    }
}
