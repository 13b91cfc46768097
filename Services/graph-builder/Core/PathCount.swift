/// A number of paths: exact, of any size, in decimal.
///
/// Limbs of 18 decimal digits make both the addition and the decimal text linear.
package struct PathCount: Sendable, Hashable, CustomStringConvertible {
    private static let limbBound: UInt64 = 1_000_000_000_000_000_000

    /// Least significant first; never empty, no leading zero limb but for zero itself.
    private var limbs: [UInt64]

    package init(_ value: UInt32) {
        limbs = [UInt64(value)]
    }

    package static func += (left: inout PathCount, right: PathCount) {
        var carry: UInt64 = 0
        for index in 0..<max(left.limbs.count, right.limbs.count) {
            let sum = (index < left.limbs.count ? left.limbs[index] : 0) + (index < right.limbs.count ? right.limbs[index] : 0) + carry
            carry = sum >= limbBound ? 1 : 0
            let limb = carry == 1 ? sum - limbBound : sum
            if index < left.limbs.count { left.limbs[index] = limb } else { left.limbs.append(limb) }
        }
        if carry == 1 { left.limbs.append(1) }
    }

    package var description: String {
        var text = String(limbs[limbs.count - 1])
        for limb in limbs.dropLast().reversed() {
            let digits = String(limb)
            text += String(repeating: "0", count: 18 - digits.utf8.count) + digits
        }
        return text
    }
}

extension Graph {
    /// The exact number of paths from the start to a leaf, one addition per edge.
    package func pathCount(inOrder order: [Int]) -> PathCount {
        var counts = [PathCount](repeating: PathCount(0), count: vertices.count)
        for vertex in order.reversed() {
            guard let first = successors[vertex].first else {
                counts[vertex] = PathCount(1)
                continue
            }
            var sum = counts[first]
            for target in successors[vertex].dropFirst() { sum += counts[target] }
            counts[vertex] = sum
        }
        return counts[0]
    }

    /// Paths in the order they are walked, the start left out: at most `pathsMax`, and no more than `entriesMax` vertices in all.
    package func paths(pathsMax: Int, entriesMax: Int) -> (listed: [[Int]], isTruncated: Bool) {
        var listed: [[Int]] = []
        var entries = 0
        var trail = [0]
        var nextEdge = [0]
        while let vertex = trail.last {
            let targets = successors[vertex]
            if targets.isEmpty {
                if listed.count == pathsMax || entries + trail.count - 1 > entriesMax { return (listed, true) }
                listed.append(Array(trail.dropFirst()))
                entries += trail.count - 1
            }
            let edge = nextEdge[nextEdge.count - 1]
            if edge < targets.count {
                nextEdge[nextEdge.count - 1] += 1
                trail.append(targets[edge])
                nextEdge.append(0)
            } else {
                trail.removeLast()
                nextEdge.removeLast()
            }
        }
        return (listed, false)
    }
}
