import Model

extension RunProgress {
    /// Where the step that began last is on its path, and how long that path is if nothing more fails on it.
    ///
    /// The walk is taken again with what became of the steps, so it costs as much as the graph has vertices and edges. Nil before the first step,
    /// and where the report leaves out so many steps that nobody can tell.
    package init?(_ vertices: [Vertex], steps: [StepStatus]) {
        guard let last = steps.last else { return nil }
        let phases = Dictionary(steps.map { ($0.id, $0.phase) }) { _, later in later }
        var walk = PathWalk(vertices)
        while case .run(let vertex) = walk.next() {
            if vertex == last.id {
                let step = walk.path.count + 1
                self.init(step: step, steps: max(step, Self.length(walk)), operation: last.operation)
                return
            }
            guard let phase = phases[vertex], phase != .running else { return nil }
            walk.record(vertex, phase == .failed ? .failed : .passed)
        }
        return nil
    }

    /// Steps of the path that `walk` is on, from its first to its last; as far as it gets where it runs into what has failed.
    private static func length(_ walk: PathWalk) -> Int {
        var walk = walk
        let behind = walk.path.count
        var longest = 0
        while case .run(let vertex) = walk.next(), longest == 0 || walk.path.count > behind {
            longest = max(longest, walk.path.count + 1)
            walk.record(vertex, .passed)
        }
        if case .succeeded(let path) = walk.next() { return path.count }
        return longest
    }
}
