import Model
import SchedulerCore
import Testing

@Suite struct RunProgressTests {
    /// A graph by the edges of its vertices, the start first.
    private func graph(_ edges: [[Int]], tolerant: Set<Int> = []) -> [Vertex] {
        edges.enumerated().map { id, to in
            Vertex(id: id, operation: id == 0 ? nil : "op\(id)", to: to, continueOnFailure: tolerant.contains(id) ? true : nil)
        }
    }

    private func steps(_ steps: (Int, StepPhase)...) -> [StepStatus] {
        steps.map { StepStatus(id: $0.0, operation: "op\($0.0)", phase: $0.1, attempt: 1) }
    }

    private func progress(_ step: Int, _ steps: Int, _ id: Int) -> RunProgress {
        RunProgress(step: step, steps: steps, operation: "op\(id)")
    }

    private let chain = [[1], [2], [3], []]
    /// Two paths: 1, 2 and 3, 4, 5.
    private let fork = [[1, 3], [2], [], [4], [5], []]

    @Test func aChain() {
        let graph = graph(chain)
        #expect(RunProgress(graph, steps: []) == nil)
        #expect(RunProgress(graph, steps: steps((1, .running))) == progress(1, 3, 1))
        #expect(RunProgress(graph, steps: steps((1, .succeeded), (2, .running))) == progress(2, 3, 2))
        #expect(RunProgress(graph, steps: steps((1, .succeeded), (2, .failed))) == progress(2, 3, 2), "it may be tried again")
        #expect(RunProgress(graph, steps: steps((1, .succeeded), (2, .skipped), (3, .succeeded))) == progress(3, 3, 3))
    }

    @Test func thePathThatIsWalked() {
        let graph = graph(fork)
        #expect(RunProgress(graph, steps: steps((1, .succeeded), (2, .failed))) == progress(2, 2, 2))
        #expect(RunProgress(graph, steps: steps((1, .succeeded), (2, .failed), (3, .running))) == progress(1, 3, 3))
        #expect(RunProgress(graph, steps: steps((1, .failed), (3, .succeeded), (4, .running))) == progress(2, 3, 4))
    }

    @Test func aFailureThatIsPassedOver() {
        let graph = graph(chain, tolerant: [1])
        #expect(RunProgress(graph, steps: steps((1, .failed), (2, .running))) == progress(2, 3, 2))
    }

    /// Paths that meet: the second one runs but what the first one has not.
    @Test func pathsThatMeet() {
        let graph = graph([[1, 2], [3], [4], [5], [3], []])
        #expect(RunProgress(graph, steps: steps((1, .failed), (2, .succeeded), (4, .running))) == progress(2, 4, 4))
        #expect(RunProgress(graph, steps: steps((1, .succeeded), (3, .failed), (2, .running))) == progress(1, 2, 2), "3 will fail it")
    }

    @Test func whatNobodyCanTell() {
        #expect(RunProgress(graph(chain), steps: steps((2, .succeeded), (3, .running))) == nil, "the first step was left out")
        #expect(RunProgress(graph(chain), steps: steps((1, .succeeded), (7, .running))) == nil)
        #expect(RunProgress([], steps: steps((1, .running))) == nil)
    }
}
