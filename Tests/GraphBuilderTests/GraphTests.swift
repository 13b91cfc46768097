import Model
import Testing

@testable import GraphBuilderCore

private let now = Timestamp(seconds: 1_800_000_000)

/// Vertices by their edges; vertex 0 is the start and the others run `op1`, `op2`, ….
private func vertices(_ edges: [[Int]]) -> [Vertex] {
    edges.enumerated().map { Vertex(id: $0, operation: $0 == 0 ? nil : "op\($0)", to: $1) }
}

private func operations(_ count: Int, dependences: [String: [String]] = [:]) -> [String: OperationSpec] {
    var result: [String: OperationSpec] = [:]
    for index in 1...max(1, count) {
        let processor = Processor(scriptRunner: ScriptProcessor(script: "true"))
        result["op\(index)"] = OperationSpec(processor: processor, dependences: dependences["op\(index)"])
    }
    return result
}

private func analyse(_ list: [Vertex], _ operations: [String: OperationSpec]) throws -> OperationSetAnalysis {
    let set = OperationSet(metadata: ObjectMeta(name: "set"), spec: OperationSetSpec(adjacencyList: list))
    return try OperationSetAnalysis(set, operations: operations, previous: nil, at: now)
}

@Suite struct GraphFaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var list: [Vertex]
        var reason: String
        var mentions: String
        var testDescription: String { reason }
    }

    static let cases: [Case] = [
        Case(list: [], reason: "Empty", mentions: "spec.sequence"),
        Case(list: [Vertex(id: 0)], reason: "Empty", mentions: "nothing to run"),
        Case(
            list: [Vertex(id: 0, operation: "op1", to: [1]), Vertex(id: 1, operation: "op1")], reason: "StartHasOperation", mentions: "op1"),
        Case(list: vertices([[1], [0]]), reason: "StartHasIncomingEdge", mentions: "vertex 1"),
        Case(list: vertices([[1], [7]]), reason: "EdgeOutOfRange", mentions: "0 to 1"),
        Case(list: vertices([[1], [-1]]), reason: "EdgeOutOfRange", mentions: "-1"),
        Case(list: vertices([[1], [1]]), reason: "SelfEdge", mentions: "vertex 1"),
        Case(list: vertices([[1], [2], [3], [4, 5], [2], []]), reason: "Cycle", mentions: "2 → 3 → 4 → 2"),
        Case(list: vertices([[1], [], []]), reason: "VertexUnreachable", mentions: "vertex 2"),
        Case(list: [Vertex(id: 0, to: [1]), Vertex(id: 1)], reason: "VertexWithoutOperation", mentions: "vertex 1"),
        Case(
            list: [Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "opp1")], reason: "OperationNotFound",
            mentions: "did you mean \"op1\"?"),
        Case(
            list: [Vertex(id: 0, to: [1]), Vertex(id: 1, operation: "op1", dependences: [9])], reason: "DependenceOutOfRange",
            mentions: "depends on vertex 9"),
    ]

    @Test(arguments: cases) func isNotReady(_ example: Case) throws {
        let analysis = try analyse(example.list, operations(6))
        #expect(analysis.plan == nil)
        #expect(!analysis.status.ready)
        let condition = try #require(analysis.status.conditions?["Ready"])
        #expect(condition.status == .false)
        #expect(condition.reason == example.reason)
        #expect(condition.message?.contains(example.mentions) == true, "\(condition.message ?? "")")
    }

    @Test func dependenceThatOnePathMissesShowsThatPath() throws {
        // Two ways to 3; only the one through 1 runs op1.
        let analysis = try analyse(vertices([[1, 2], [3], [3], []]), operations(3, dependences: ["op3": ["op1"]]))
        #expect(analysis.fault == .dependenceNotMet(vertex: 3, operation: "op3", dependence: "operation \"op1\"", path: [0, 2, 3]))
    }

    @Test func dependenceMetByDifferentVerticesOfOneOperation() throws {
        var list = vertices([[1, 2], [3], [3], []])
        list[2].operation = "op1"
        #expect(try analyse(list, operations(3, dependences: ["op3": ["op1"]])).status.ready)
    }

    @Test func operationThatDependsOnItselfIsNotMet() throws {
        let analysis = try analyse(vertices([[1], []]), operations(1, dependences: ["op1": ["op1"]]))
        #expect(analysis.fault?.reason == "DependenceNotMet")
    }

    @Test func dependenceOnTheStartIsAlwaysMet() throws {
        var list = vertices([[1], []])
        list[1].dependences = [0]
        #expect(try analyse(list, operations(1)).status.ready)
    }
}

@Suite struct GraphPathTests {
    @Test func listsPathsInTheOrderTheyAreTried() throws {
        let analysis = try analyse(vertices([[2, 1], [3], [3, 4], [], []]), operations(4))
        #expect(analysis.status.paths?.map { $0.map(\.id) } == [[2, 3], [2, 4], [1, 3]])
        #expect(analysis.status.pathCount == "3")
        #expect(analysis.status.pathsTruncated == false)
        #expect(analysis.status.nodeCount == 4)
    }

    @Test func countsExactlyWhatNoIntegerHolds() throws {
        // 200 diamonds in a row: 2^200 paths.
        var edges: [[Int]] = [[1]]
        for diamond in 0..<200 {
            let base = 1 + diamond * 3
            edges += [[base + 1, base + 2], [base + 3], [base + 3]]
        }
        edges.append([])
        let analysis = try analyse(vertices(edges), operations(edges.count))
        #expect(analysis.status.pathCount == "1606938044258990275541962092341162602522202993782792835301376")
        #expect(analysis.status.pathsTruncated == true)
        #expect(try #require(analysis.status.paths).count <= 1000)
    }

    @Test func repeatedEdgeCountsOnce() throws {
        #expect(try analyse(vertices([[1, 1], []]), operations(1)).status.pathCount == "1")
    }

    @Test func sequenceIsAChain() throws {
        let set = OperationSet(metadata: ObjectMeta(name: "s"), spec: OperationSetSpec(sequence: ["op1", "op2"]))
        let analysis = try OperationSetAnalysis(set, operations: operations(2), previous: nil, at: now)
        #expect(analysis.status.paths == [[PathEntry(id: 1, operation: "op1"), PathEntry(id: 2, operation: "op2")]])
    }

    @Test func planHashFollowsGraphAndOperations() throws {
        let list = vertices([[1], []])
        let plan = try #require(try analyse(list, operations(1)).plan)
        #expect(try #require(try analyse(list, operations(5)).plan).hash == plan.hash, "operations that are not used do not count")
        var changed = operations(1)
        changed["op1"]?.processor.timeoutSeconds = 7
        #expect(try #require(try analyse(list, changed).plan).hash != plan.hash)
    }

    @Test func transitionTimeMovesOnlyWithTheStatus() throws {
        let set = OperationSet(metadata: ObjectMeta(name: "s"), spec: OperationSetSpec(sequence: ["op1"]))
        let first = try OperationSetAnalysis(set, operations: [:], previous: nil, at: now).status
        let later = now.adding(seconds: 60)
        let second = try OperationSetAnalysis(set, operations: [:], previous: first, at: later).status
        #expect(second.conditions?["Ready"]?.lastTransitionTime == now)
        let third = try OperationSetAnalysis(set, operations: operations(1), previous: second, at: later).status
        #expect(third.conditions?["Ready"]?.lastTransitionTime == later)
    }

    @Test(arguments: 0..<200) func agreesWithWalkingEveryPath(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 2...8, using: &random)
        var edges = (0..<count).map { source in (source + 1..<max(source + 1, count)).filter { _ in Bool.random(using: &random) } }
        for target in 1..<count where !edges.contains(where: { $0.contains(target) }) { edges[0].append(target) }
        let names = (0..<count).map { _ in "op\(Int.random(in: 1...4, using: &random))" }
        let list = edges.enumerated().map { Vertex(id: $0, operation: $0 == 0 ? nil : names[$0], to: $1) }
        let needy = "op\(Int.random(in: 1...4, using: &random))"
        let needed = "op\(Int.random(in: 1...4, using: &random))"
        let analysis = try analyse(list, operations(4, dependences: [needy: [needed]]))

        let walked = everyPath(edges)
        let isMet = walked.allSatisfy { path in
            path.indices.allSatisfy { names[path[$0]] != needy || path[..<$0].contains { names[$0] == needed } }
        }
        #expect(analysis.status.ready == isMet, "seed \(seed)")
        if isMet { #expect(analysis.status.paths?.map { $0.map(\.id) } == walked, "seed \(seed)") }
    }

    private func everyPath(_ edges: [[Int]], from vertex: Int = 0) -> [[Int]] {
        if edges[vertex].isEmpty { return [[]] }
        return edges[vertex].flatMap { target in everyPath(edges, from: target).map { [target] + $0 } }
    }
}

struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
