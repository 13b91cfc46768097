import Glibc
// Validates, counts and lists a layered graph of 1,000 vertices and 10,000 edges (over 10^30 paths), beside the reference: parsing the JSON
// text of the same graph. Prints medians of process CPU time.
import GraphBuilderCore
import JSONCoding
import Model

func layeredGraph(layers: Int, perLayer: Int, edges: Int) -> [Vertex] {
    let count = layers * perLayer + 1
    var targets = [[Int]](repeating: [], count: count)
    targets[0] = Array(1...perLayer)
    let sources = (layers - 1) * perLayer
    for index in 0..<sources {
        let (layer, slot) = (index / perLayer, index % perLayer)
        let degree = (edges - perLayer) / sources + (index < (edges - perLayer) % sources ? 1 : 0)
        targets[1 + index] = (0..<degree).map { 1 + (layer + 1) * perLayer + (slot + $0) % perLayer }
    }
    return targets.enumerated().map { Vertex(id: $0, operation: $0 == 0 ? nil : $0 <= perLayer ? "first" : "op\($0 % 50)", to: $1) }
}

func cpuMilliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
}

func median(_ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
    var samples: [Double] = []
    for _ in 0..<rounds {
        let start = cpuMilliseconds()
        try body()
        samples.append(cpuMilliseconds() - start)
    }
    return samples.sorted()[rounds / 2]
}

let vertices = layeredGraph(layers: 40, perLayer: 25, edges: 10_000)
let processor = Processor(scriptRunner: ScriptProcessor(script: "true"))
var operations = ["first": OperationSpec(processor: processor)]
for index in 0..<50 {
    operations["op\(index)"] = OperationSpec(processor: processor, dependences: ["first"])
}
let set = OperationSet(metadata: ObjectMeta(name: "bench"), spec: OperationSetSpec(adjacencyList: vertices))
let text = try JSON(encoding: set).encoded()

let analysis = try OperationSetAnalysis(set, operations: operations, previous: nil, at: Timestamp(seconds: 0))
let judged = try median(21) { _ = try OperationSetAnalysis(set, operations: operations, previous: nil, at: Timestamp(seconds: 0)) }
let parsed = try median(21) { _ = try JSON(parsing: text) }
let edges = vertices.reduce(0) { $0 + ($1.to?.count ?? 0) }
print("graph: \(vertices.count - 1) vertices, \(edges) edges, \(analysis.status.pathCount ?? "?") paths, ready \(analysis.status.ready)")
print("graph: judged, counted and listed in \(judged) ms of CPU (at most 50)")
print("graph: reference, parsing its JSON of \(text.count) bytes: \(parsed) ms; ratio \(judged / parsed)")
