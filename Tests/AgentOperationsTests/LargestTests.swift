import AgentOperations
import Testing

@Suite struct LargestTests {
    @Test(arguments: [1, 2, 7, 100, 1000]) func keepsWhatSortingWouldPutFirst(count: Int) {
        var generator = SystemRandomNumberGenerator()
        let numbers = (0..<500).map { _ in Int.random(in: 0..<300, using: &generator) }
        var largest = Largest<Int>(count, by: >)
        for (index, number) in numbers.enumerated() {
            largest.add(number)
            #expect(largest.sorted == Array(numbers[...index].sorted(by: >).prefix(count)))
        }
    }
}
