import JSONCoding
import ServiceKit
import Testing

/// The endpoint tables and the documents say the same, in both directions.
@Suite struct RouteTests {
    @Test(arguments: ContractedService.all)
    func everyRouteIsDocumentedAndEveryOperationIsServed(service: ContractedService) async throws {
        let documented = try DocumentFolder.load().operations(service.file)
        let table = try await service.endpoints()
        let routes = Set(table.map(\.route))
        let operations = Set(documented.map(\.route))
        #expect(routes.subtracting(operations).sorted() == [], "served and not documented")
        #expect(operations.subtracting(routes).sorted() == [], "documented and not served")
        #expect(table.count == routes.count)
    }

    @Test(arguments: ContractedService.all)
    func accessAndSummariesAgree(service: ContractedService) async throws {
        let documented = try DocumentFolder.load().operations(service.file)
        let table = Dictionary(try await service.endpoints().map { ($0.route, $0) }) { first, _ in first }
        for operation in documented {
            guard let endpoint = table[operation.route] else { continue }
            #expect(operation.access == Set(endpoint.access.map(\.rawValue)), "\(operation.route)")
            #expect(operation.operation.value["summary"]?.stringValue == endpoint.summary, "\(operation.route)")
            let isOpen = operation.operation.value["security"] == .array([])
            #expect(isOpen == endpoint.access.isEmpty, "\(operation.route)")
            #expect(operation.statuses.contains("401") == !endpoint.access.isEmpty, "\(operation.route)")
            let isExclusive = !endpoint.access.isEmpty && endpoint.access != .anyone
            #expect(operation.statuses.contains("403") == isExclusive, "\(operation.route)")
        }
    }

    @Test(arguments: ContractedService.all)
    func bodiesAreOfTheTypesThatRoutesTake(service: ContractedService) async throws {
        let folder = try DocumentFolder.load()
        let table = Dictionary(try await service.endpoints().map { ($0.route, $0) }) { first, _ in first }
        for operation in try folder.operations(service.file) {
            guard let endpoint = table[operation.route], let body = try folder.requestBody(of: operation) else { continue }
            let types = body.value["content"]?.objectValue?.keys.sorted() ?? []
            #expect(
                !types.isEmpty && types.allSatisfy { $0 == "application/json" || endpoint.bodyTypes.contains($0) }, "\(operation.route)")
            #expect(Set(operation.statuses).isSuperset(of: ["400", "413", "415"]), "\(operation.route)")
        }
    }

    @Test(arguments: DocumentFolder.files)
    func operationsAreComplete(file: String) throws {
        let folder = try DocumentFolder.load()
        let root = try folder.document(file).value
        #expect(root["openapi"] == "3.0.3")
        let operations = try folder.operations(file)
        #expect(Set(operations.map(\.id)).count == operations.count, "operation ids are used once")
        let tags = Set(root["tags"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? [])
        for operation in operations {
            let named = operation.template.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            let inPath = operation.parameters.filter { $0["in"] == "path" }
            #expect(inPath.compactMap { $0["name"]?.stringValue }.sorted() == named.sorted(), "\(operation.route)")
            #expect(inPath.allSatisfy { $0["required"] == true }, "\(operation.route)")
            // No processor is built in yet, so that this one has no success to tell of.
            #expect(operation.statuses.contains { $0.hasPrefix("2") } || operation.id == "runProcessor", "\(operation.route)")
            for status in operation.statuses {
                #expect(
                    try folder.response(status, of: operation)?.value["description"]?.stringValue?.isEmpty == false, "\(operation.route)")
            }
            if file != "common.yaml" {
                let used = Set(operation.operation.value["tags"]?.arrayValue?.compactMap(\.stringValue) ?? [])
                #expect(!used.isEmpty && used.isSubset(of: tags), "\(operation.route)")
            }
        }
    }

    @Test(arguments: DocumentFolder.files)
    func everyReferenceLeadsSomewhere(file: String) throws {
        let folder = try DocumentFolder.load()
        var count = 0
        var rest = [try folder.document(file).value]
        while let value = rest.popLast() {
            switch value {
            case .object(let members):
                if let target = members["$ref"]?.stringValue {
                    count += 1
                    #expect(throws: Never.self) { try folder.follow(target, from: file) }
                }
                rest += members.values
            case .array(let items): rest += items
            default: break
            }
        }
        #expect(count > 0)
    }
}
