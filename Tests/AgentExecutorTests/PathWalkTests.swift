import Model
import Testing

@Suite struct PathWalkTests {
    /// Walks with given outcomes and returns what was run, in order, and how it ended.
    static func walk(_ vertices: [Vertex], passing: Set<Int>) -> (order: [Int], end: PathWalk.Decision, walk: PathWalk) {
        var walk = PathWalk(vertices)
        var order: [Int] = []
        while case .run(let vertex) = walk.next() {
            order.append(vertex)
            walk.record(vertex, passing.contains(vertex) ? .passed : .failed)
        }
        return (order, walk.next(), walk)
    }

    static func graph(_ edges: [[Int]], tolerant: Set<Int> = []) -> [Vertex] {
        edges.enumerated().map {
            Vertex(
                id: $0.offset, operation: $0.offset == 0 ? nil : "op\($0.offset)", to: $0.element,
                continueOnFailure: tolerant.contains($0.offset))
        }
    }

    @Test func aSharedVertexRunsOnceAndTheSecondPathReusesIt() {
        // 0 → 1 → 2, 1 → 3
        let result = Self.walk(Self.graph([[1], [2, 3], [], []]), passing: [1, 3])
        #expect(result.order == [1, 2, 3])
        #expect(result.end == .succeeded(path: [1, 3]))
        #expect(result.walk.failedPaths == [[1, 2]])
    }

    @Test func aFailedVertexFailsEveryPathThroughItWithoutRunning() {
        // 0 → 1 → 3 → 4, 0 → 2 → 3
        let result = Self.walk(Self.graph([[1, 2], [3], [3], [4], []]), passing: [1, 2, 4])
        #expect(result.order == [1, 3, 2])
        #expect(result.end == .exhausted)
        #expect(result.walk.failedPaths == [[1, 3]])
        #expect(result.walk.failedPathCount == 1)
    }

    @Test func aToleratedFailureLetsThePathPassButFindsNothingByItself() {
        let chain = [[1], [2], [3], []]
        #expect(Self.walk(Self.graph(chain, tolerant: [2]), passing: [1, 3]).end == .succeeded(path: [1, 2, 3]))
        #expect(Self.walk(Self.graph(chain, tolerant: [1, 2, 3]), passing: []).end == .exhausted)
        #expect(Self.walk(Self.graph(chain, tolerant: [1, 2, 3]), passing: [1]).end == .succeeded(path: [1, 2, 3]))
    }

    @Test func aLayeredGraphWithMorePathsThanAtomsEnds() {
        // 100 layers of 10 vertices, all connected; the last layer fails: 10^100 paths.
        var edges: [[Int]] = [Array(1...10)]
        for layer in 0..<100 {
            for _ in 0..<10 { edges.append(layer == 99 ? [] : (1...10).map { (layer + 1) * 10 + $0 }) }
        }
        let passing = Set(1...990)
        let result = Self.walk(Self.graph(edges), passing: passing)
        #expect(result.end == .exhausted)
        #expect(result.order.count == 1000)
        #expect(result.walk.failedPathCount == 10)
    }

    @Test func cyclesAndEdgesOutOfTheGraphEnd() {
        #expect(Self.walk(Self.graph([[1], [2], [1, 9]]), passing: [1, 2]).end == .exhausted)
        #expect(Self.walk(Self.graph([[]]), passing: []).end == .exhausted)
        #expect(Self.walk([], passing: []).end == .exhausted)
    }

    @Test(arguments: 0..<40) func agreesWithAWalkOfEveryPath(seed: Int) {
        for round in 0..<250 {
            var random = SplitMix(seed: UInt64(seed * 1000 + round))
            let count = 2 + random.below(7)
            // Edges go to higher numbers only, so the graph has no cycle.
            let edges = (0..<count).map { from in
                (from + 1..<count + 1).filter { $0 < count && random.below(100) < 45 }.shuffled(using: &random)
            }
            let tolerant = Set((1..<count).filter { _ in random.below(4) == 0 })
            let passing = Set((1..<count).filter { _ in random.below(100) < 60 })
            let vertices = Self.graph(edges, tolerant: tolerant)
            let got = Self.walk(vertices, passing: passing)
            let wanted = EveryPath(vertices, passing: passing)
            #expect(got.order == wanted.order, "seed \(seed) round \(round)")
            #expect(got.end == wanted.end, "seed \(seed) round \(round)")
            #expect(got.walk.failedPaths == wanted.failedPaths, "seed \(seed) round \(round)")
        }
    }
}

/// The same by its definition: every path in depth-first order, one after the other, with nothing remembered but outcomes.
struct EveryPath {
    var order: [Int] = []
    var end = PathWalk.Decision.exhausted
    var failedPaths: [[Int]] = []

    init(_ vertices: [Vertex], passing: Set<Int>) {
        for path in Self.paths(vertices, from: 0) where end == .exhausted {
            var found = false
            var complete = true
            for (index, vertex) in path.enumerated() {
                if !order.contains(vertex) {
                    order.append(vertex)
                    if !passing.contains(vertex) { failedPaths.append(Array(path[...index])) }
                }
                if passing.contains(vertex) {
                    found = true
                } else if vertices[vertex].continueOnFailure != true {
                    complete = false
                    break
                }
            }
            if complete, found { end = .succeeded(path: path) }
        }
    }

    static func paths(_ vertices: [Vertex], from vertex: Int) -> [[Int]] {
        let own = vertex == 0 ? [] : [vertex]
        let next = vertices[vertex].to ?? []
        if next.isEmpty { return vertex == 0 ? [] : [own] }
        return next.flatMap { paths(vertices, from: $0).map { own + $0 } }
    }
}

struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
