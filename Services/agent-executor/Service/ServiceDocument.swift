internal import CAgentExecutorDocument

/// The OpenAPI document of the service, built into the program.
enum ServiceDocument {
    static var bytes: [UInt8] {
        var size = 0
        let start = agent_executor_document(&size)
        return Array(UnsafeBufferPointer(start: start, count: size))
    }
}
