import HTTPServer
import ServiceKit

#if canImport(Glibc)
    import Glibc
#endif

/// A service that does next to nothing, as a process: the first argument says what it is to do besides, the others are its flags.
@main
enum Fixture {
    struct NoDisk: Error {}

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(await program(arguments.first ?? "plain").run(arguments: Array(arguments.dropFirst())))
    }

    private static func program(_ mode: String) -> ServiceProgram {
        ServiceProgram(name: "fixture", summary: "is a test", defaultPort: 0, settings: []) { _ in
            switch mode {
            case "broken": throw NoDisk()
            case "stuck":
                // Neither cancellation nor anything else ends this loop.
                let stuck = BackgroundLoop { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
                return ServiceAssembly(endpoints: [], background: { _ in [stuck] })
            default: return ServiceAssembly(endpoints: [slow], background: { _ in [idle] }, close: { print("closed") })
            }
        }
    }

    /// Says that it is at work, and answers a while later.
    private static let slow = Endpoint(.get, "/slow", access: .anyone, summary: "Takes its time.") { call in
        call.logger.info("at work")
        try await Task.sleep(for: .milliseconds(500))
        return .text("done")
    }

    private static let idle = BackgroundLoop {
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}
