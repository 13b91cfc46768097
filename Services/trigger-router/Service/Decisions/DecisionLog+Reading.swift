import JSONCoding
import Model
import ResourceStore
import ServiceKit
import TriggerRouterCore

extension DecisionLog {
    /// Pages read at once.
    private static let pagesPerRead = 8

    /// Since when nothing is missing, what is, and the last request whatever came of it.
    var summary: State { state }

    /// Those that are asked for, newest first, behind `after`; and where the next page begins, nil on the last.
    func newest(
        _ filter: DecisionFilter, after: DecisionPosition?, limit: Int
    ) async throws(APIError) -> (records: [DecisionRecord], continuation: DecisionPosition?) {
        var rest = index.pages.filter { page in filter.mayMatch(page) && (after.map { page.number <= $0.page } ?? true) }[...]
        var found: [(position: DecisionPosition, record: DecisionRecord)] = []
        while !rest.isEmpty, found.count <= limit {
            let numbers = Array(rest.suffix(Self.pagesPerRead).reversed().map(\.number))
            rest = rest.dropLast(numbers.count)
            let pages = try await read(numbers)
            let wanted = limit + 1 - found.count
            found += await ComputeQueue.explaining.run {
                var found: [(position: DecisionPosition, record: DecisionRecord)] = []
                for number in numbers where found.count < wanted {
                    guard let page = pages[number] else { continue }
                    let before = after.flatMap { $0.page == number ? $0.line : nil }
                    found += filter.records(in: page, before: before, limit: wanted - found.count).map {
                        (position: DecisionPosition(page: number, line: $0.line), record: $0.record)
                    }
                }
                return found
            }
        }
        let shown = found.prefix(limit)
        return (shown.map(\.record), found.count > limit ? shown.last?.position : nil)
    }

    private func read(_ numbers: [Int64]) async throws(APIError) -> [Int64: [UInt8]] {
        guard let store else { return unstored.filter { numbers.contains($0.key) } }
        do throws(StoreError) {
            let records = try await store.records(bucket: Self.pageBucket, keys: numbers.map(Self.key))
            // One that went meanwhile is left out.
            return Dictionary(uniqueKeysWithValues: numbers.compactMap { number in records[Self.key(number)].map { (number, $0.value) } })
        } catch {
            throw .unavailable("the decisions can't be read now", cause: "\(error)")
        }
    }
}
