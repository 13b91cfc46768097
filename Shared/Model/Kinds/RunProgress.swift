/// The step that began last: its place on its path, counted from 1, and how many steps that path has.
public struct RunProgress: Codable, Sendable, Hashable {
    public var step: Int
    public var steps: Int
    public var operation: String

    public init(step: Int, steps: Int, operation: String) {
        self.step = step
        self.steps = steps
        self.operation = operation
    }
}
