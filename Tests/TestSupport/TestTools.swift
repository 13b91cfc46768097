import Foundation

/// Programs that tests take from PyPI, as `scripts/test` installs them. One that is missing fails the test that asks for it.
package enum TestTools {
    /// kubectl 1.33, or the program that `KUBEDIAG_TEST_KUBECTL` names, to try another version.
    package static func kubectl() throws -> String {
        try ProcessInfo.processInfo.environment["KUBEDIAG_TEST_KUBECTL"] ?? program("kubectl", "kubectl")
    }

    /// The interpreter of the Python environment that `python_tools NAME` in scripts/lib.sh makes.
    package static func python(_ environment: String) throws -> String { try program(environment, "bin/python") }

    /// A program of such an environment.
    package static func program(_ environment: String, _ path: String) throws -> String {
        let file = folder.appendingPathComponent(environment).appendingPathComponent(path).path
        guard FileManager.default.isExecutableFile(atPath: file) else {
            throw Cluster.Failure(description: "\(file) is missing; scripts/test --tools installs it")
        }
        return file
    }

    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent(".build/test-tools")
}
