/// A service's document with all that it refers to in it, so that it can be handed to a program that reads one file.
///
/// Paths of `common.yaml` are copied to where they are referred to; components of it become the bundle's own, those alone that are used.
package struct Bundle: Sendable {
    private let common: YAMLValue
    /// `components` sections and what is used of them.
    private var used: [String: Set<String>] = [:]
    private var isNew = false

    package init(common: YAMLValue) { self.common = common }

    private static let file = "common.yaml"

    package func text(of service: YAMLValue) throws -> String {
        var bundle = self
        let document = try bundle.document(service)
        return "# Written by scripts/generate-openapi out of the documents in openapi/.\n"
            + document.lines().map { $0 + "\n" }.joined()
    }

    private mutating func document(_ service: YAMLValue) throws -> YAMLValue {
        guard case .map(let members) = service else { throw YAMLValue.ReadFault(description: "the document is no map") }
        var result: [YAMLValue.Member] = []
        for member in members where member.key != "components" {
            let value = member.key == "info" ? info(member.value) : member.value
            result.append(.init(key: member.key, value: try resolve(value)))
        }
        result.append(.init(key: "components", value: try components()))
        return .map(result)
    }

    /// What the service says of itself, and behind it what all of them have in common.
    private func info(_ own: YAMLValue) -> YAMLValue {
        guard case .map(let members) = own, case .text(let shared)? = common["info"]?["description"] else { return own }
        return .map(
            members.map { member in
                guard member.key == "description", case .text(let text) = member.value else { return member }
                let paragraphs = shared.split(separator: "\n\n", omittingEmptySubsequences: true).dropFirst()
                let ownText = text.replacing("What all services have in common is told in `common.yaml`.\n", with: "")
                return .init(key: member.key, value: .text(([ownText.trimmed] + paragraphs.map(String.init)).joined(separator: "\n\n")))
            })
    }

    /// Follows what is used until nothing new is; in the order of `common.yaml`.
    private mutating func components() throws -> YAMLValue {
        used["securitySchemes"] = ["bearer"]
        guard case .map(let sections)? = common["components"] else { throw YAMLValue.ReadFault(description: "there are no components") }
        var written: [YAMLValue.Member] = []
        repeat {
            isNew = false
            written = []
            for section in sections {
                guard let names = used[section.key], case .map(let members) = section.value else { continue }
                var kept: [YAMLValue.Member] = []
                for member in members where names.contains(member.key) {
                    kept.append(.init(key: member.key, value: try resolve(member.value)))
                }
                written.append(.init(key: section.key, value: .map(kept)))
            }
        } while isNew
        return .map(written)
    }

    /// `value` with its references led into the bundle.
    private mutating func resolve(_ value: YAMLValue) throws -> YAMLValue {
        switch value {
        case .map(let members):
            if members.count == 1, members[0].key == "$ref", case .text(let target) = members[0].value { return try follow(target) }
            var result: [YAMLValue.Member] = []
            for member in members { result.append(.init(key: member.key, value: try resolve(member.value))) }
            return .map(result)
        case .list(let items):
            var result: [YAMLValue] = []
            for item in items { result.append(try resolve(item)) }
            return .list(result)
        default: return value
        }
    }

    private mutating func follow(_ target: String) throws -> YAMLValue {
        let pointer = target.hasPrefix(Self.file) ? target.dropFirst(Self.file.count) : target[...]
        let tokens = pointer.split(separator: "/").dropFirst().map {
            String($0).replacing("~1", with: "/").replacing("~0", with: "~")
        }
        guard pointer.hasPrefix("#/"), let name = tokens.last else { throw YAMLValue.ReadFault(description: "\(target) is no reference") }
        if tokens.first == "paths", let item = common["paths"]?[name] { return try resolve(item) }
        guard tokens.count == 3, tokens[0] == "components", common["components"]?[tokens[1]]?[name] != nil else {
            throw YAMLValue.ReadFault(description: "\(target) leads nowhere")
        }
        if used[tokens[1], default: []].insert(name).inserted { isNew = true }
        return .reference("#/components/\(tokens[1])/\(name)")
    }
}

extension String {
    fileprivate var trimmed: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}
