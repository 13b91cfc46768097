import Foundation
import TestSupport
import Testing

extension KubernetesClients {
    /// The Kubernetes client for Python; dynamic_client.py holds what each of these does.
    @Suite struct PythonTests {
        private static let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("dynamic_client.py")

        @Test(
            arguments: [
                "discovery", "objects", "patches", "server_side_apply", "lists", "watch_resumes", "watch_begins_with_what_there_is",
                "watch_that_is_too_old", "watch_that_ends", "errors", "a_whole_diagnosis", "typed_client",
            ])
        func dynamicClient(function: String) async throws {
            let kubectl = try Kubectl()
            // The client keeps what it discovered in the temporary folder, under a name that those beside it would use too.
            let folder = try TemporaryDirectory()
            defer { folder.remove() }
            let result = try await run(
                TestTools.python("kubernetes"), [Self.program.path, function, kubectl.namespace],
                environment: kubectl.environment.merging(["TMPDIR": folder.path]) { _, own in own })
            #expect(result == .printed(""))
        }
    }
}
