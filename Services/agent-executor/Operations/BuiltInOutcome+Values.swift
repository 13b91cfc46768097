extension BuiltInOutcome {
    /// All values in the order in which people should see them, the finding first.
    public func values(of declaration: BuiltInDeclaration) -> [Result] {
        var values: [Result] = []
        if let summary = ruledOut ?? finding?.summary, declaration.succeedsWhen != nil {
            values.append(Result(BuiltInDeclaration.summaryKey(declaration.name), .text(summary)))
        }
        if let finding { values.append(Result(BuiltInDeclaration.findingKey(declaration.name), .json(finding.json))) }
        return values + results
    }
}
