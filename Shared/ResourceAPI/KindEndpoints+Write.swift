import HTTPMessage
import HTTPServer
import JSONCoding
import Model
import ResourceStore
import ServiceKit

// Creations, replacements, patches and deletions.

extension KindEndpoints {
    private func options(_ call: Call) throws(APIError) -> WriteOptions {
        try WriteOptions(call.request.query, userAgent: call.request.headers["User-Agent"])
    }

    func create(_ call: Call) async throws -> Response {
        let options = try options(call)
        let body = try RequestBody(call.request.body)
        return answer(try await verbs.create(body, in: address(call).namespace, options, caller: call.caller))
    }

    func update(_ call: Call, isStatus: Bool) async throws -> Response {
        let options = try options(call)
        let body = try RequestBody(call.request.body)
        return answer(try await verbs.update(body, at: address(call), isStatus: isStatus, options, caller: call.caller))
    }

    func patch(_ call: Call, isStatus: Bool) async throws -> Response {
        let type: String
        do throws(APIError) {
            type = try MediaTypes.patchType(call.request.headers)
        } catch {
            var response = Response(error)
            response.headers.set("Accept-Patch", MediaTypes.patchesServed.joined(separator: ", "))  // RFC 5789, section 3.1
            return response
        }
        let options = try options(call)
        try options.check(isApply: type == MediaTypes.applyPatch)
        let body = type == MediaTypes.applyPatch ? try RequestBody(yaml: call.request.body) : try RequestBody(call.request.body)
        let patch = try ObjectPatch(body, type: type)
        return answer(try await verbs.patch(patch, at: address(call), isStatus: isStatus, options, caller: call.caller))
    }

    func delete(_ call: Call) async throws -> Response {
        let options = try DeleteOptions(call.request.query, body: call.request.body)
        switch try await verbs.delete(address(call), options, caller: call.caller) {
        case .pending(let bytes): return .json(bytes)
        case .removed(let object):
            return success(["name": .string(object.key.name), "uid": .string(object.uid.rawValue)])
        }
    }

    func deleteCollection(_ call: Call) async throws -> Response {
        let options = try DeleteOptions(call.request.query, body: call.request.body)
        let (labels, fields) = try ListOptions.selectors(call.request.query, selectable: definition.names.selectableFields)
        let query = ListQuery(
            plural: definition.plural, namespace: call.request.parameters["namespace"], labels: labels, fields: fields)
        _ = try await verbs.deleteCollection(query, options, caller: call.caller)
        return success([:])
    }

    private func answer(_ outcome: WriteOutcome) -> Response {
        var response = Response.json(outcome.bytes, status: outcome.isCreated ? 201 : 200)
        for value in WarningField.values(outcome.warnings) { response.headers.add("Warning", value) }
        return response
    }

    private func success(_ details: [String: JSON]) -> Response {
        var named: [String: JSON] = ["kind": .string(definition.plural)]
        if !definition.groupVersion.group.isEmpty { named["group"] = .string(definition.groupVersion.group) }
        return .json([
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
            "details": .object(named.merging(details) { _, detail in detail }),
        ])
    }
}
