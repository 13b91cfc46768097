/// The name that somebody probably meant.
public enum NearestName {
    /// The candidate with the smallest `EditDistance`, if it is at most a third of the name's length; ties go to
    /// the first in alphabetical order. Looks at 10,000 candidates at most.
    public static func find(_ name: String, among candidates: some Sequence<String>) -> String? {
        guard name.utf8.count <= 256 else { return nil }
        let allowed = name.utf8.count / 3
        var best: (distance: Int, name: String)?
        for candidate in candidates.prefix(10_000) {
            guard abs(candidate.utf8.count - name.utf8.count) <= allowed else { continue }
            let distance = EditDistance.between(name, candidate)
            guard distance <= allowed, distance > 0 else { continue }
            if let best, (best.distance, best.name) <= (distance, candidate) { continue }
            best = (distance, candidate)
        }
        return best?.name
    }
}
