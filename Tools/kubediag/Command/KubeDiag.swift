import ArgumentParser

/// `kubediag`, with every verb below it.
struct KubeDiag: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubediag",
        abstract: "Runs diagnoses where the alert points, and shows what they found.",
        discussion: """
            First steps:
              kubediag up                            all four services on this machine
              kubediag apply -f playbook.yaml        operations, operation sets, triggers
              kubediag diagnose disk-full --node web-07 --param mountpoint=/var --follow
              kubediag get diagnoses --failed --since 1h
              kubediag report NAME -o report.html    what a diagnosis found, to hand on
              kubediag why --last                    what became of the last alert
              kubediag trigger test alertname=Disk   which triggers would match, and why

            Which server: --server URL, else KUBEDIAG_SERVER, else the context file that
            `kubediag up` writes (--context FILE, KUBEDIAG_CONTEXT,
            ~/.config/kubediag/context.yaml), else http://127.0.0.1:8080.

            Exit status:
              0   succeeded
              1   failed: the diagnosis or the command
              2   wrong command line
              3   nothing found: every line of investigation was ruled out
              4   unknown: agent out of reach, or not ended within --timeout
              65  a file is wrong
              69  the server does not answer
              77  the token is not accepted
              130 interrupted
            """,
        version: CommandVersion.text,
        subcommands: [
            UpCommand.self, ApplyCommand.self, GetCommand.self, DescribeCommand.self, DeleteCommand.self, DiagnoseCommand.self,
            WaitCommand.self, ResultsCommand.self, EvidenceCommand.self, ReportCommand.self, RerunCommand.self, CancelCommand.self,
            GraphCommand.self, TriggerCommand.self,
            WhyCommand.self, DeadLettersCommand.self, PauseCommand.self, ResumeCommand.self, AgentCommand.self, ConfigCommand.self,
            TokensCommand.self,
        ])
}

enum CommandVersion {
    static let text = "0.1.0"
}
