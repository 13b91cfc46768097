/// The text of `--help`.
struct ConfigurationHelp {
    let program: String
    let summary: String
    let table: SettingTable

    static let columnsMax = 110

    var text: String {
        var lines = [
            "\(program): \(summary)", "",
            "usage: \(program) [--config FILE] [--SETTING VALUE]...", "",
            "A setting is taken from its flag, else from its environment variable, else from the file, else it has its default.",
            "Everything that is wrong is reported at once; the exit status is then 78.", "",
            "settings:",
        ]
        lines += entry("--config FILE", ["YAML file of settings, by the names in brackets"], names: "KUBEDIAG_CONFIG")
        for definition in table.definitions {
            lines += describe(definition)
        }
        lines += entry("--version", ["print the version and exit"], names: nil)
        lines += entry("--help, -h", ["print this and exit"], names: nil)
        return lines.joined(separator: "\n") + "\n"
    }

    private func describe(_ definition: SettingDefinition) -> [String] {
        var notes: [String] = []
        if definition.isRequired {
            notes.append("required")
        } else if !definition.defaultText.isEmpty {
            notes.append("default \(definition.defaultText)")
        }
        if definition.isList { notes.append("may be repeated") }
        let title = definition.isSwitch ? "\(definition.flag), --no-\(definition.name)" : "\(definition.flag) \(definition.placeholder)"
        let suffix = notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
        return entry(title, Self.wrap(definition.help + suffix), names: "\(definition.environmentName) [\(definition.yamlKey)]")
    }

    private func entry(_ title: String, _ body: [String], names: String?) -> [String] {
        ["  \(title)"] + body.map { "      \($0)" } + (names.map { ["      \($0)"] } ?? [])
    }

    private static func wrap(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 7 > columnsMax {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " \(word)"
        }
        return lines + [line]
    }
}
