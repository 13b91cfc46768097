/// The name that somebody probably meant.
public enum NearestName {
    /// The candidate with the fewest edits (Levenshtein distance), if it is at most a third of the name's length, and at least 1; ties go to
    /// the first in alphabetical order. Looks at 10,000 candidates at most.
    public static func find(_ name: String, among candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.utf8.prefix(256))
        let allowed = max(1, wanted.count / 3)
        var best: (distance: Int, name: String)?
        for candidate in candidates.prefix(10_000) {
            let other = Array(candidate.utf8)
            guard abs(other.count - wanted.count) <= allowed else { continue }
            let distance = edits(wanted, other)
            guard distance <= allowed, distance > 0 else { continue }
            if let best, (best.distance, best.name) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best?.name
    }

    private static func edits(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let substitution = diagonal + (right[column] == byte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(substitution, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
