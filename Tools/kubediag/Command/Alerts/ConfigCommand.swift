import ArgumentParser

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Print the configuration of other programs.",
        subcommands: [ConfigAlertmanagerCommand.self, ConfigKubectlCommand.self])
}

struct ConfigAlertmanagerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alertmanager", abstract: "Print what to add to alertmanager.yml, with this installation's URL and token file.")

    @OptionGroup var connection: ConnectionOptions
    @Option(help: ArgumentHelp("File with a receiver's token, as Alertmanager sees it.", valueName: "file")) var receiverTokenFile: String?

    func run() throws {
        let connection = try connection.open()
        guard let file = receiverTokenFile ?? connection.context?.receiverTokenFile else {
            throw CommandFailure(
                "which file holds the receiver's token?",
                hints: ["Give --receiver-token-file FILE; kubediag up leaves one in its data directory: tokens/receiver."], status: .usage)
        }
        Terminal.standardOutput.write(Self.snippet(server: connection.server.description, tokenFile: file))
    }

    static func snippet(server: String, tokenFile: String) -> String {
        """
        # Add to alertmanager.yml, then reload it: kill -HUP the process, or POST /-/reload.
        route:
          # … what you have stays: receiver, group_by and so on
          routes:
            # First, so that every alert comes by; continue lets it go on to those who are paged.
            - receiver: kubediag
              continue: true
              group_wait: 0s        # at once
              group_interval: 1m    # what was refused or is new in a group is sent again after this
              repeat_interval: 4h   # kubediag itself repeats a diagnosis every 6 h at most (repeatIntervalSeconds)
            # … your routes
        receivers:
          # … your receivers
          - name: kubediag
            webhook_configs:
              - url: \(server)/api/v1/receivers/alertmanager
                send_resolved: true
                http_config:
                  authorization:
                    type: Bearer
                    credentials_file: \(tokenFile)

        """
    }
}
