// swift-tools-version: 6.2
import PackageDescription

// Targets are rooms and their dependencies are the rules: Main → Service → Core → Model, and
// Service → Resource*, HTTP*, ServiceKit. Nothing in Shared knows a service.
let strict: [SwiftSetting] = [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]

func room(_ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], linker: [LinkerSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict, linkerSettings: linker)
}

func cRoom(_ name: String, _ path: String, libraries: [String], cxx: [CXXSetting] = []) -> Target {
    .target(
        name: name, path: path, publicHeadersPath: "include", cxxSettings: cxx,
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

func main(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude, swiftSettings: strict)
}

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "kubediag",
    products: [
        .executable(name: "graph-builder", targets: ["graph-builder"]),
        .executable(name: "trigger-router", targets: ["trigger-router"]),
        .executable(name: "scheduler", targets: ["scheduler"]),
        .executable(name: "agent-executor", targets: ["agent-executor"]),
        .executable(name: "kubediag", targets: ["kubediag"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C libraries: a module map and a shim each.
        cRoom("CSimdjson", "Shared/CSimdjson", libraries: ["simdjson"]),
        cRoom("CNettle", "Shared/CNettle", libraries: ["nettle"]),
        cRoom("CMicroHTTPD", "Shared/CMicroHTTPD", libraries: ["microhttpd", "gnutls"]),
        cRoom("CCurl", "Shared/CCurl", libraries: ["curl"]),
        cRoom("CRE2", "Shared/CRE2", libraries: ["re2"]),
        cRoom("CCertificates", "Shared/CCertificates", libraries: ["gnutls"]),
        cRoom("CSpawn", "Shared/CSpawn", libraries: []),
        cRoom("CZlib", "Shared/CZlib", libraries: ["z"]),
        cRoom("CLinux", "Shared/CLinux", libraries: []),
        cRoom("CJSONText", "Shared/CJSONText", libraries: []),
        cRoom("CRdKafka", "Shared/CRdKafka", libraries: ["rdkafka"]),

        // Shared rooms.
        room("JSONCoding", "Shared/JSONCoding", ["CSimdjson", "CJSONText"]),
        room("Digests", "Shared/Digests", ["CNettle"]),
        room("YAMLReading", "Shared/YAMLReading", ["JSONCoding", yams]),
        room("Certificates", "Shared/Certificates", ["CCertificates"]),
        room("RegularExpressions", "Shared/RegularExpressions", ["CRE2"]),
        room("Redaction", "Shared/Redaction", ["RegularExpressions", "JSONCoding"]),
        room("Compression", "Shared/Compression", ["CZlib"]),
        room("KafkaClient", "Shared/KafkaClient", ["CRdKafka", "JSONCoding"]),
        room("DirectoryEntries", "Shared/DirectoryEntries"),
        room("ProcessRunner", "Shared/ProcessRunner", ["CSpawn", "DirectoryEntries"]),
        room("HTTPMessage", "Shared/HTTPMessage"),
        room("HTTPServer", "Shared/HTTPServer", ["CMicroHTTPD", "HTTPMessage", logging]),
        room("HTTPClient", "Shared/HTTPClient", ["CCurl", "HTTPMessage"]),
        room("Model", "Shared/Model", ["JSONCoding", "Digests"]),
        room("StructuredMerge", "Shared/StructuredMerge", ["Model", "JSONCoding"]),
        room("ResourceOwnership", "Shared/ResourceOwnership", ["Model", "JSONCoding"]),
        room("ResourceStore", "Shared/ResourceStore", ["Model", "JSONCoding"]),
        room("ResourceStoreSQLite", "Shared/ResourceStoreSQLite", ["ResourceStore", "Model", "JSONCoding", grdb, sqlite]),
        room(
            "ServiceKit", "Shared/ServiceKit",
            ["HTTPServer", "HTTPMessage", "HTTPClient", "Model", "JSONCoding", "Digests", "Compression", logging, lifecycle, yams]),
        room("ServiceStore", "Shared/ServiceStore", ["ServiceKit", "ResourceStoreSQLite", logging]),
        room(
            "ResourceAPI", "Shared/ResourceAPI",
            [
                "ServiceKit", "HTTPServer", "HTTPMessage", "ResourceStore", "ResourceOwnership", "StructuredMerge", "Model", "JSONCoding",
                "YAMLReading", "Digests", logging,
            ]),
        room(
            "ResourceClient", "Shared/ResourceClient",
            ["HTTPClient", "HTTPMessage", "ResourceStore", "Model", "JSONCoding", logging]),

        room(
            "ResourceForwarding", "Shared/ResourceForwarding",
            ["ResourceClient", "ServiceKit", "HTTPServer", "HTTPClient", "HTTPMessage", "Model", "JSONCoding", logging]),
        room(
            "GarbageCollection", "Shared/GarbageCollection",
            [
                "ResourceOwnership", "ResourceStore", "ResourceClient", "ServiceKit", "HTTPServer", "HTTPClient", "HTTPMessage", "Model",
                "JSONCoding", logging,
            ]),

        room(
            "EventRecording", "Shared/EventRecording",
            ["ServiceKit", "ResourceClient", "ResourceStore", "HTTPClient", "Model", "JSONCoding", "Digests", logging]),

        room(
            "KubernetesConnection", "Shared/KubernetesConnection",
            ["ServiceKit", "ResourceClient", "HTTPClient", "JSONCoding", logging, yams]),

        // graph-builder
        cRoom("CGraphBuilderDocument", "Services/graph-builder/Document", libraries: []),
        room("GraphBuilderCore", "Services/graph-builder/Core", ["Model", "JSONCoding", "Digests"]),
        room(
            "GraphBuilderService", "Services/graph-builder/Service",
            [
                "GraphBuilderCore", "CGraphBuilderDocument", "EventRecording", "ServiceKit", "ServiceStore", "ResourceAPI", "ResourceStore",
                "GarbageCollection", "ProcessRunner", "HTTPServer", "HTTPClient", "HTTPMessage", "Model", "JSONCoding", logging,
            ]),
        main("graph-builder", "Services/graph-builder/Main", ["GraphBuilderService", "ServiceKit"]),

        // trigger-router
        cRoom("CTriggerRouterDocument", "Services/trigger-router/Document", libraries: []),
        room("TriggerRouterCore", "Services/trigger-router/Core", ["Model", "RegularExpressions", "Digests", "JSONCoding"]),
        room(
            "TriggerRouterService", "Services/trigger-router/Service",
            [
                "TriggerRouterCore", "CTriggerRouterDocument", "ServiceKit", "ServiceStore", "ResourceAPI", "ResourceStore",
                "ResourceStoreSQLite", "ResourceClient", "ResourceForwarding", "GarbageCollection", "EventRecording", "HTTPServer",
                "HTTPClient", "HTTPMessage", "JSONCoding", "KafkaClient", "KubernetesConnection", "Model", logging,
            ]),
        main("trigger-router", "Services/trigger-router/Main", ["TriggerRouterService", "ServiceKit"]),

        // scheduler
        cRoom("CSchedulerDocument", "Services/scheduler/Document", libraries: []),
        room("SchedulerCore", "Services/scheduler/Core", ["Model", "Digests"]),
        room(
            "SchedulerService", "Services/scheduler/Service",
            [
                "SchedulerCore", "CSchedulerDocument", "EventRecording", "Model", "ServiceKit", "ServiceStore", "ResourceAPI",
                "ResourceStore", "ResourceOwnership", "KubernetesConnection", "ResourceClient", "ResourceForwarding", "GarbageCollection",
                "HTTPServer", "HTTPMessage", "HTTPClient", "JSONCoding",
                "Digests", logging,
            ]),
        main("scheduler", "Services/scheduler/Main", ["SchedulerService", "ServiceKit"]),

        // agent-executor
        cRoom("CAgentExecutorDocument", "Services/agent-executor/Document", libraries: []),
        room("AgentExecutorCore", "Services/agent-executor/Core", ["Model"]),
        room("NodeFacts", "Services/agent-executor/NodeFacts", ["JSONCoding"]),
        room(
            "AgentOperations", "Services/agent-executor/Operations",
            ["AgentExecutorCore", "CLinux", "DirectoryEntries", "ProcessRunner", "HTTPClient", "Model", "JSONCoding"]),
        room(
            "AgentProcessors", "Services/agent-executor/Processors",
            [
                "AgentOperations", "NodeFacts", "ProcessRunner", "KubernetesConnection", "ResourceClient", "HTTPClient", "HTTPMessage",
                "YAMLReading", "Model", "JSONCoding",
            ]),
        room(
            "AgentChecks", "Services/agent-executor/Checks", ["AgentOperations", "NodeFacts", "CLinux", "Certificates", "HTTPClient"]),
        room(
            "AgentExecutorService", "Services/agent-executor/Service",
            [
                "AgentExecutorCore", "AgentOperations", "AgentChecks", "AgentProcessors", "KubernetesConnection", "CAgentExecutorDocument",
                "ServiceKit", "ServiceStore",
                "ResourceStore",
                "HTTPServer", "HTTPMessage",
                "HTTPClient",
                "DirectoryEntries", "ProcessRunner", "Redaction", "RegularExpressions", "Model", "JSONCoding", "Digests", logging,
            ]),
        main("agent-executor", "Services/agent-executor/Main", ["AgentExecutorService", "ServiceKit"]),

        // The command line.
        room(
            "KubeDiagCommand", "Tools/kubediag/Command",
            [
                "ResourceClient", "HTTPClient", "HTTPMessage", "Model", "JSONCoding", "YAMLReading", "Digests", "Certificates",
                "DirectoryEntries", "ProcessRunner", arguments, yams,
            ]),
        main("kubediag", "Tools/kubediag/Main", ["KubeDiagCommand"]),

        // Writes the generated parts of openapi/, run by scripts/generate-openapi.
        room("OpenAPIDocuments", "Tools/openapi-documents/Documents", ["Model", "JSONCoding", yams]),
        main("openapi-documents", "Tools/openapi-documents/Main", ["OpenAPIDocuments"]),

        // Writes the manifests and the reference of the built-in operations, run by scripts/generate-operations.
        room("OperationDocuments", "Tools/operation-documents/Documents", ["AgentOperations", "Model", "JSONCoding"]),
        main("operation-documents", "Tools/operation-documents/Main", ["OperationDocuments", "AgentExecutorService"]),

        // Benchmarks, run by scripts/bench.
        room("BenchmarkSupport", "Benchmarks/support", ["TestSupport"]),
        main("bench-graph", "Benchmarks/graph", ["GraphBuilderCore", "Model", "JSONCoding"]),
        main(
            "bench-store", "Benchmarks/store",
            ["ResourceStoreSQLite", "ResourceStore", "Model", sqlite]),
        cRoom("CBenchHTTP", "Benchmarks/CBenchHTTP", libraries: ["microhttpd"]),
        main("bench-http-server", "Benchmarks/http-server/Main", ["CBenchHTTP", "ServiceKit", "HTTPServer", "HTTPMessage", logging]),
        main(
            "bench-resource-api", "Benchmarks/resource-api",
            ["CBenchHTTP", "ResourceStoreSQLite", "ResourceStore", "HTTPClient", "HTTPMessage", "Model", "JSONCoding"]),
        main("bench-matching", "Benchmarks/matching", ["TriggerRouterCore", "RegularExpressions", "Model"]),

        main(
            "bench-end-to-end", "Benchmarks/end-to-end",
            ["BenchmarkSupport", "TestSupport", "HTTPServer", "HTTPClient", "HTTPMessage", "Model", "JSONCoding"]),
        main(
            "bench-storm", "Benchmarks/storm", ["BenchmarkSupport", "TestSupport", "HTTPClient", "HTTPMessage", "Model", "JSONCoding"]),
        main("bench-agent", "Benchmarks/agent", ["BenchmarkSupport", "TestSupport", "JSONCoding"]),
        cRoom("CBenchChecks", "Benchmarks/CBenchChecks", libraries: []),
        main("bench-checks", "Benchmarks/checks", ["CBenchChecks", "AgentChecks", "AgentOperations", "HTTPClient", "ProcessRunner"]),
        main("bench-kafka", "Benchmarks/kafka", ["KafkaTestCluster", "TestSupport", "JSONCoding", "Model"]),

        // Tests
        room(
            "TestSupport", "Tests/TestSupport",
            ["ServiceKit", "ProcessRunner", "Certificates", "HTTPClient", "HTTPMessage", "Model", "JSONCoding", logging]),
        // A broker for tests and benchmarks.
        room("KafkaTestCluster", "Tests/KafkaTestCluster", ["CRdKafka"]),
        // A kube-apiserver for tests.
        room(
            "KubernetesTestServer", "Tests/KubernetesTestServer",
            ["ResourceAPI", "TestSupport", "HTTPServer", "HTTPMessage", "JSONCoding", "Model", logging]),
        tests(
            "KubernetesConnectionTests",
            [
                "KubernetesConnection", "KubernetesTestServer", "ResourceClient", "HTTPClient", "HTTPServer", "ServiceKit", "Certificates",
                "TestSupport", "JSONCoding", "Model", logging,
            ]),
        // Machines in folders, for built-in operations.
        room("RecordedHost", "Tests/RecordedHost", ["AgentOperations", "HTTPClient", "Model", "ProcessRunner", "TestSupport"]),
        tests("NodeFactsTests", ["NodeFacts"]),
        tests(
            "AgentChecksTests",
            [
                "AgentChecks", "AgentOperations", "NodeFacts", "RecordedHost", "TestSupport", "Certificates", "HTTPServer", "HTTPMessage",
                logging,
            ]),
        tests(
            "AgentOperationsTests",
            ["AgentOperations", "RecordedHost", "TestSupport", "ProcessRunner", "HTTPClient", "Model", "JSONCoding"]),
        tests(
            "AgentProcessorsTests",
            [
                "AgentProcessors", "AgentOperations", "RecordedHost", "ProcessRunner", "KubernetesConnection", "KubernetesTestServer",
                "ServiceKit",
                "TestSupport",
                "HTTPClient", "HTTPServer", "HTTPMessage", "Certificates", "Model", "JSONCoding", logging,
            ]),
        tests("KafkaTests", ["KafkaClient", "KafkaTestCluster", "TestSupport", "JSONCoding"]),
        tests("TidyTests", ["TestSupport"]),
        tests("JSONCodingTests", ["JSONCoding"]),
        tests("DigestsTests", ["Digests"]),
        // The parsers under a fuzzer, run by scripts/fuzz; the tests replay what it found.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "ResourceAPI", "ResourceStore", "StructuredMerge", "RegularExpressions", "TriggerRouterCore", "GraphBuilderCore",
                "KubeDiagCommand", "NodeFacts", "Redaction", "HTTPMessage", "Model", "JSONCoding",
            ],
            path: "Tests/FuzzTargets", exclude: ["corpus"], swiftSettings: strict),
        cRoom("CFuzzEngine", "Tests/FuzzEngine", libraries: []),
        main("fuzz-parsers", "Tests/FuzzDriver", ["FuzzTargets", "CFuzzEngine"]),
        tests("FuzzTests", ["FuzzTargets", "TestSupport"]),
        tests("CertificatesTests", ["Certificates", "HTTPServer", "HTTPClient", "HTTPMessage", "TestSupport", logging]),
        tests("CompressionTests", ["Compression", "TestSupport"]),
        tests("RedactionTests", ["Redaction", "JSONCoding"]),
        tests("RegularExpressionsTests", ["RegularExpressions"]),
        tests("ProcessRunnerTests", ["ProcessRunner", "TestSupport"]),
        tests("HTTPServerTests", ["HTTPServer", "HTTPMessage"]),
        tests("HTTPClientTests", ["HTTPClient", "HTTPMessage"]),
        tests("ModelTests", ["Model", "JSONCoding"]),
        tests("StructuredMergeTests", ["StructuredMerge", "Model", "JSONCoding"]),
        tests("ResourceOwnershipTests", ["ResourceOwnership", "Model", "JSONCoding"]),
        tests("ResourceStoreTests", ["ResourceStore", "ResourceStoreSQLite", "Model", "JSONCoding", "store-writer", grdb]),
        main("store-writer", "Tests/StoreWriter", ["ResourceStore", "ResourceStoreSQLite", "Model"]),
        tests(
            "ResourceClientTests",
            [
                "ResourceClient", "ResourceAPI", "ResourceStore", "ResourceStoreSQLite", "ServiceKit", "HTTPClient", "HTTPServer",
                "HTTPMessage", "Model", "JSONCoding", "Digests", logging,
            ]),
        tests(
            "ServiceKitTests",
            [
                "ServiceKit", "servicekit-fixture", "TestSupport", "HTTPServer", "HTTPMessage", "HTTPClient", "JSONCoding", "Digests",
                "Model",
                logging,
            ]),
        main("servicekit-fixture", "Tests/ServiceKitFixture", ["ServiceKit", "HTTPServer"]),
        tests(
            "ResourceAPITests",
            [
                "ResourceAPI", "GarbageCollection", "ResourceClient", "ResourceStoreSQLite", "StructuredMerge", "ServiceKit", "TestSupport",
                "HTTPClient", "JSONCoding",
            ]),
        tests(
            "EventRecordingTests",
            ["EventRecording", "ResourceStoreSQLite", "ResourceStore", "ServiceKit", "TestSupport", "Model", "JSONCoding", logging]),
        tests(
            "GraphBuilderTests",
            ["GraphBuilderCore", "GraphBuilderService", "TestSupport", "ServiceKit", "HTTPClient", "HTTPMessage", "Model", "JSONCoding"]),
        tests(
            "TriggerRouterTests",
            [
                "TriggerRouterCore", "TriggerRouterService", "GraphBuilderService", "SchedulerService", "RegularExpressions", "TestSupport",
                "ResourceStoreSQLite", "ServiceKit", "HTTPServer", "HTTPClient", "HTTPMessage", "JSONCoding", "Digests", "Model",
                "KafkaTestCluster", "KubernetesTestServer", logging,
            ]),
        tests(
            "SchedulerTests",
            [
                "SchedulerCore", "SchedulerService", "KubernetesTestServer", "KubernetesConnection", "EventRecording",
                "ResourceStoreSQLite", "ResourceStore", "TestSupport", "ServiceKit", "HTTPServer", "HTTPClient", "HTTPMessage", "Model",
                "JSONCoding", logging,
            ]),
        tests(
            "AgentExecutorTests",
            [
                "AgentExecutorCore", "AgentExecutorService", "agent-executor", "TestSupport", "ServiceKit", "HTTPServer", "HTTPClient",
                "HTTPMessage", "Model", "JSONCoding", "Digests", "ProcessRunner",
            ]),
        tests(
            "SystemTests",
            [
                "graph-builder", "scheduler", "trigger-router", "agent-executor", "TestSupport", "HTTPClient", "HTTPMessage", "Model",
                "JSONCoding", "KafkaTestCluster", "KubernetesTestServer",
            ]),
        tests(
            "PlaybookTests",
            [
                "graph-builder", "scheduler", "trigger-router", "agent-executor", "RecordedHost", "KubernetesTestServer", "TestSupport",
                "HTTPClient", "HTTPMessage", "Model", "JSONCoding",
            ]),
        tests(
            "KubernetesClientTests",
            ["graph-builder", "scheduler", "trigger-router", "agent-executor", "kubediag", "TestSupport", "HTTPMessage", "JSONCoding"],
            exclude: ["dynamic_client.py"]),
        tests(
            "ConformanceTests",
            ["graph-builder", "scheduler", "trigger-router", "agent-executor", "TestSupport", "JSONCoding"],
            exclude: ["schemathesis.toml", "hooks.py"]),
        tests("ClientTests", ["graph-builder", "scheduler", "trigger-router", "agent-executor", "TestSupport", "JSONCoding"]),
        tests(
            "ContractTests",
            [
                "OpenAPIDocuments", "OperationDocuments", "GraphBuilderService", "SchedulerService", "TriggerRouterService",
                "AgentExecutorService",
                "TestSupport", "ServiceKit", "HTTPClient", "HTTPMessage", "Model", "JSONCoding", logging, yams,
            ]),
        tests(
            "KubeDiagCommandTests",
            [
                "KubeDiagCommand", "kubediag", "trigger-router", "graph-builder", "scheduler", "agent-executor", "HTTPServer", "Digests",
                "Model", "JSONCoding",
            ]),
    ]
)
