import AgentOperations
import Testing

@Suite struct LargestTests {
    @Test(arguments: [1, 2, 7, 100, 1000]) func keepsWhatSortingWouldPutFirst(count: Int) {
        // Each number below 499 once, in a mixed order, some of them twice.
        let numbers = (1...600).map { $0 * 193 % 499 }
        var largest = Largest<Int>(count, by: >)
        let wrong = numbers.indices.first { index in
            largest.add(numbers[index])
            return largest.sorted != Array(numbers[...index].sorted(by: >).prefix(count))
        }
        #expect(wrong == nil)
    }
}
