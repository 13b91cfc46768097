// What the Swift server costs beside plain C on the same library: CPU of the server process per request, 200 bytes of JSON, 64 keep-alive
// connections. The four servers are measured in turn, several times over, so that a noisy machine disturbs them alike; the ratios count.
//
//     bench-http-server [REQUESTS [ROUNDS]]

switch CommandLine.arguments.dropFirst().first {
case "serve":
    await startServer(CommandLine.arguments.dropFirst(2).first ?? "")
    waitForTheEnd()
default:
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    Comparison(requests: UInt64(numbers.first ?? 200_000), rounds: numbers.dropFirst().first ?? 3).run()
}
