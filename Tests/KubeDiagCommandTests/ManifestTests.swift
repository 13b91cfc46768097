import Testing

@testable import KubeDiagCommand

@Suite struct ManifestTests {}
