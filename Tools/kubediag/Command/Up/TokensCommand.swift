import ArgumentParser
import Model

#if canImport(Glibc)
    import Glibc
#endif

struct TokensCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens", abstract: "Make the tokens of an installation.", subcommands: [TokensInitCommand.self])
}

struct TokensInitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make the tokens that are missing in a directory; those that are there stay.",
        discussion: """
            Writes admin, service, receiver and agent-NODE (a token each), accepted (the token file of the services) and
            receiver.header and admin.header (for curl -H @FILE), all of mode 0600. `kubediag up` does this by itself.
            """)

    @Option(help: ArgumentHelp("Directory of the tokens.", valueName: "dir")) var dir: String
    @Option(help: ArgumentHelp("User id that the files are to belong to.", valueName: "uid")) var owner: UInt32?
    @Option(help: ArgumentHelp("Node whose agent gets a token; may be repeated.", valueName: "node")) var agent: [String] = []

    func run() throws {
        for node in agent {
            if let fault = Names.subdomainFault(node) { throw CommandFailure("\"\(node)\" is no node name: it \(fault)", status: .usage) }
        }
        try TokenDirectory(path: dir, owner: owner).make(agents: agent)
        Terminal.standardOutput.line("tokens in \(dir)")
    }
}
