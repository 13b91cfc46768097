/// What an agent needs to join: `agent:NODE TOKEN`, and the digest by which it knows the scheduler's token.
///
/// The digest is enough to accept the scheduler and useless to play it, so that a node that falls into wrong hands speaks for itself alone.
struct JoinFile {
    let node: String
    let agentToken: String
    /// Lines of the agent's own token file.
    let accepted: [String]

    init(_ text: String, path: String) throws {
        var agent: (node: String, token: String)?
        var accepted: [String] = []
        for line in text.split(separator: "\n") {
            let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            if fields.isEmpty { continue }
            guard fields.count == 2 else { throw CommandFailure("\(path): every line has to be CLASS TOKEN", status: .data) }
            if fields[0].hasPrefix("agent:"), agent == nil {
                agent = (String(fields[0].dropFirst("agent:".count)), String(fields[1]))
            } else {
                accepted.append("\(fields[0]) \(fields[1])")
            }
        }
        guard let agent, !agent.node.isEmpty else {
            throw CommandFailure(
                "\(path) holds no token of an agent", hints: ["Make one on the machine of the scheduler: kubediag agent token NODE"],
                status: .data)
        }
        guard !accepted.isEmpty else {
            throw CommandFailure("\(path) does not say whom the agent is to obey (a line with class service)", status: .data)
        }
        node = agent.node
        agentToken = agent.token
        self.accepted = accepted
    }
}
