import Glibc

// What the API costs where it is asked most: tables of 10,000 diagnoses, one change that 500 watchers see, and a get. The scheduler runs as a
// process of its own; beside each figure stands what plain C needs for the same bytes in the same run.
//
//     bench-resource-api [list] [watch] [get]

switch CommandLine.arguments.dropFirst().first {
case "serve": serve(CommandLine.arguments.dropFirst(2).first ?? "")
case "fan-out": serveFanOut()
default:
    let wanted = Set(CommandLine.arguments.dropFirst())
    do {
        let scheduler = try await SchedulerProcess(diagnoses: 10_000)
        let result = await Result.of {
            if wanted.isEmpty || wanted.contains("list") { try await ListBenchmark(scheduler: scheduler).run() }
            if wanted.isEmpty || wanted.contains("get") { try await GetBenchmark(scheduler: scheduler).run() }
            if wanted.isEmpty || wanted.contains("watch") { try await WatchBenchmark(scheduler: scheduler).run() }
        }
        try await scheduler.stop()
        try result.get()
    } catch {
        print("\(error)")
        exit(2)
    }
}

extension Result where Success == Void, Failure == any Error {
    /// What becomes of `body`, so that something can be done before it is told.
    fileprivate static func of(_ body: () async throws -> Void) async -> Self {
        do { return .success(try await body()) } catch { return .failure(error) }
    }
}
