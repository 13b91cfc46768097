import Dispatch
import HTTPServer
import Logging
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#endif

/// One run of a program: build, bind, serve, drain, close.
struct ServiceRun {
    let program: ServiceProgram
    let configuration: Configuration
    let logger: Logger

    /// From the signal to the end of the process, whatever still hangs.
    static let shutdownSecondsMax = 10

    func perform() async throws {
        // A peer that leaves while we write is an error of that write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        let authenticator = try makeAuthenticator()
        let context = ServiceContext(name: program.name, configuration: configuration, logger: logger, clientToken: try makeClientToken())
        ProcessMetrics.register(in: context.metrics)
        context.metrics.counter("log_lines_dropped_total", help: "Log lines that found the buffer in front of stderr full.") {
            Double(LogSink.standardError.linesDroppedTotal)
        }
        let assembly = try await program.assemble(context)
        do {
            try await serve(assembly, context: context, authenticator: authenticator)
        } catch {
            await assembly.close()
            throw error
        }
        await assembly.close()
        logger.info("stopped")
    }

    private func serve(_ assembly: ServiceAssembly, context: ServiceContext, authenticator: Authenticator) async throws {
        let server = try ServiceServer(
            context, endpoints: assembly.endpoints, authenticator: authenticator, hosts: assembly.hosts, identity: try makeIdentity())
        let address = try server.start()
        let services: [any Service]
        do {
            services = try assembly.background(address)
            if let path = configuration[CommonSettings.portFile] { try PortFile.write(address.port, to: path) }
            if let path = configuration[CommonSettings.tlsPortFile], let secure = server.secureAddress {
                try PortFile.write(secure.port, to: path)
            }
        } catch {
            await server.drain()
            throw error
        }
        announce(address, server.secureAddress)
        // The group stops its services in reverse order: the notice is given, the server drains, the loops that carry out what it accepted end.
        let limit = ShutdownLimit(seconds: Self.shutdownSecondsMax, logger: logger)
        let all: [any Service] = [limit] + services + [server, StopNotice(notify: assembly.stopping)]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: all.map {
                    ServiceGroupConfiguration.ServiceConfiguration(service: $0)
                },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quietLogger))
        try await group.run()
    }

    private func announce(_ address: BoundAddress, _ secure: BoundAddress?) {
        var metadata: Logger.Metadata = [
            "address": "\(address.host)", "port": .stringConvertible(Int(address.port)), "version": "\(ProductVersion.text)",
        ]
        if let secure { metadata["tls_port"] = .stringConvertible(Int(secure.port)) }
        logger.info("listening", metadata: metadata)
        if ListenAddress(configuration[CommonSettings.listen]) == .beyondLoopback {
            logger.warning(
                "listening beyond loopback without TLS: tokens travel in clear", metadata: ["address": "\(address.host)"])
        }
        if configuration[CommonSettings.tokenFile] == nil {
            logger.warning("no --token-file: every route but /healthz and /readyz refuses every caller")
        }
    }

    /// The group's own lines tell how it is built, not what the service does.
    private var quietLogger: Logger {
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        return quiet
    }

    private func makeAuthenticator() throws(ConfigurationFaults) -> Authenticator {
        guard let path = configuration[CommonSettings.tokenFile] else { return Authenticator(logger: logger) }
        do throws(TokenFileFault) {
            return try Authenticator(tokenFile: path, logger: logger)
        } catch {
            let origin = configuration.origin(of: CommonSettings.tokenFile)
            throw ConfigurationFaults(error.messages.map { ConfigurationFault(origin, "\(path): \($0)") })
        }
    }

    /// What is shown on the TLS port; nil where there is none.
    private func makeIdentity() throws(ConfigurationFaults) -> TLS? {
        guard configuration[CommonSettings.tlsPort] != nil, let certificate = configuration[CommonSettings.tlsCertificateFile],
            let key = configuration[CommonSettings.tlsKeyFile]
        else { return nil }
        var origin = CommonSettings.tlsCertificateFile
        do throws(FileReadFault) {
            let chain = try FileReader.read(certificate, bytesMax: Self.certificateBytesMax)
            origin = CommonSettings.tlsKeyFile
            let secret = try SecretFile(path: key, bytesMax: Self.certificateBytesMax).read().text
            return TLS(certificateChainPEM: String(decoding: chain, as: UTF8.self), privateKeyPEM: secret)
        } catch {
            throw ConfigurationFaults([ConfigurationFault(configuration.origin(of: origin), error.description)])
        }
    }

    private static let certificateBytesMax = 256 << 10

    private func makeClientToken() throws(ConfigurationFaults) -> ClientToken? {
        guard let path = configuration[CommonSettings.clientTokenFile] else { return nil }
        do throws(FileReadFault) {
            return try ClientToken(file: path, logger: logger)
        } catch {
            throw ConfigurationFaults([ConfigurationFault(configuration.origin(of: CommonSettings.clientTokenFile), error.description)])
        }
    }
}

/// Passes on that the process is told to end, and holds up nothing.
private struct StopNotice: Service {
    let notify: @Sendable () -> Void

    func run() async throws {
        defer { notify() }
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            return
        }
    }
}

/// Ends the process when a graceful shutdown takes too long: something hangs, and what was acknowledged is on disk.
private struct ShutdownLimit: Service {
    let seconds: Int
    let logger: Logger

    func run() async throws {
        // The server stops first, this service last: so the clock has to start with the signal and not with this service's own turn.
        let sources = [SIGTERM, SIGINT].map { Self.watch($0, seconds: seconds, logger: logger) }
        defer { for source in sources { source.cancel() } }
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            return
        }
    }

    /// In a nonisolated function, since a closure made in an isolated one would trap on Dispatch's thread.
    private static func watch(_ number: Int32, seconds: Int, logger: Logger) -> any DispatchSourceSignal {
        let queue = DispatchQueue(label: "shutdown")
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
            queue.asyncAfter(deadline: .now() + .seconds(seconds)) {
                logger.critical("shutdown took too long; the process ends now", metadata: ["seconds": .stringConvertible(seconds)])
                // Whoever reads the log may be what hangs.
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(500)) { _exit(1) }
                LogSink.standardError.flush()
                _exit(1)
            }
        }
        source.activate()
        return source
    }
}
