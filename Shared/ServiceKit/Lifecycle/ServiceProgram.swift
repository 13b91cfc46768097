import Logging

#if canImport(Glibc)
    import Glibc
#endif

/// One of the product's processes from its command line to its exit status.
///
/// A `main.swift` is then a declaration of settings and one call:
/// ```swift
/// let program = ServiceProgram(name: "scheduler", summary: "…", defaultPort: 8082, settings: SchedulerSettings.all) { context in
///     try await SchedulerService(context).assembly
/// }
/// exit(await program.run())
/// ```
public struct ServiceProgram: Sendable {
    /// Builds the service from what the process gives it. Throws `ConfigurationFaults` for settings that turn out unusable together.
    public typealias Assemble = @Sendable (ServiceContext) async throws -> ServiceAssembly

    public let name: String
    public let summary: String
    public let table: SettingTable
    public let assemble: Assemble

    /// - Parameters:
    ///   - settings: the service's own, beside the common ones.
    public init(
        name: String, summary: String, defaultPort: Int, settings: [SettingDefinition], assemble: @escaping Assemble
    ) {
        self.name = name
        self.summary = summary
        table = SettingTable(CommonSettings.definitions(defaultPort: defaultPort) + settings)
        self.assemble = assemble
    }

    /// Runs until a signal ends it; returns the exit status: 0, 78 for a wrong configuration, 1 for anything else.
    public func run(
        arguments: [String] = Array(CommandLine.arguments.dropFirst()), environment: [String: String] = ProcessEnvironment.current
    ) async -> Int32 {
        let configuration: Configuration
        do throws(ConfigurationFaults) {
            let outcome = try ConfigurationReader.read(table: table, arguments: arguments, environment: environment)
            switch outcome {
            case .help:
                print(ConfigurationHelp(program: name, summary: summary, table: table).text, terminator: "")
                return 0
            case .version:
                print("\(name) \(ProductVersion.text)")
                return 0
            case .configuration(let read): configuration = read
            }
            let faults = CommonSettings.faults(configuration)
            if !faults.isEmpty { throw ConfigurationFaults(faults) }
        } catch {
            return report(error)
        }
        return await run(configuration)
    }

    private func run(_ configuration: Configuration) async -> Int32 {
        let sink = LogSink.standardError
        let logger = Logger(label: name) { _ in
            JSONLogHandler(service: name, level: configuration[CommonSettings.logLevel], sink: sink)
        }
        defer { sink.flush() }
        do {
            try await ServiceRun(program: self, configuration: configuration, logger: logger).perform()
            return 0
        } catch let faults as ConfigurationFaults {
            sink.flush()
            return report(faults)
        } catch {
            logger.critical("process ends", metadata: ["cause": "\(error)"])
            return 1
        }
    }

    private func report(_ faults: ConfigurationFaults) -> Int32 {
        let count = faults.faults.count
        var text = "\(name): \(count == 1 ? "one fault" : "\(count) faults") in the configuration\n"
        for fault in faults.faults { text += "  \(fault)\n" }
        text += "Try: \(name) --help\n"
        StandardError.write(text)
        return ConfigurationFaults.exitStatus
    }
}

/// What people read before there is a log.
enum StandardError {
    static func write(_ text: String) {
        text.withCString { pointer in
            _ = Glibc.write(STDERR_FILENO, pointer, strlen(pointer))
        }
    }
}

/// The environment of this process as values.
public enum ProcessEnvironment {
    /// A later duplicate of a name is ignored, as `getenv` ignores it.
    public static var current: [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let separator = text.firstIndex(of: "=") {
                let name = String(text[..<separator])
                if variables[name] == nil { variables[name] = String(text[text.index(after: separator)...]) }
            }
            entry += 1
        }
        return variables
    }
}
