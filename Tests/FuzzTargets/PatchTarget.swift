import JSONCoding
import Model
import ResourceAPI

extension FuzzTarget {
    /// A document, and a patch of it: an array is a JSON Patch, all else a merge patch. Both have the outcome that their RFCs say; an object
    /// of ours stays one.
    static let patch = FuzzTarget(
        "patch", bytesMax: 8192,
        words: [
            Sections.separator, "\"op\"", "\"path\"", "\"from\"", "\"value\"", "\"add\"", "\"remove\"", "\"replace\"", "\"move\"",
            "\"copy\"",
            "\"test\"", "\"/spec/\"", "/-", "~0", "~1",
        ]
    ) { input in
        let parts = Sections(input)
        guard parts.count >= 2, let document = try await refusable({ try RequestBody(parts[0]) }),
            let body = try await refusable({ try RequestBody(parts[1]) })
        else { return }
        try comparePatch(body.json, of: document.json)

        let served = ServedObject(of: document.json)
        guard let old = try await refusable({ try await served.create(document) })?.object else { return }
        let type = body.json.arrayValue == nil ? MediaTypes.mergePatch : MediaTypes.jsonPatch
        guard let patch = try await refusable({ try ObjectPatch(body, type: type) }),
            let patched = try await refusable({ try patch.applied(to: old) })
        else { return }
        let new = try await refusable {
            try await served.admission(by: "patcher").update(patched, at: served.address(of: old), replacing: old)
        }
        if let new { try served.check(new) }
    }

    private static func comparePatch(_ body: JSON, of document: JSON) throws {
        guard case .array = body else {
            let ours = document.applying(mergePatch: body)
            let theirs = ReferencePatch.merging(body, into: document)
            try expect(ours == theirs, "the merge patch makes \(ours), by its RFC \(theirs)")
            try expect(ours.applying(mergePatch: body) == ours, "the merge patch changes what it made: \(ours)")
            return
        }
        let patch: JSONPatch
        do { patch = try JSONPatch(body) } catch { return }
        let theirs = Result { () throws(ReferencePatch.Inapplicable) in try ReferencePatch.applying(patch, to: document) }
        do {
            let ours = try document.applying(patch)
            guard case .success(let expected) = theirs else { throw FuzzFinding(description: "applied, which its RFC forbids: \(ours)") }
            try expect(ours == expected, "the patch makes \(ours), by its RFC \(expected)")
            _ = try JSON(parsing: ours.encoded())
        } catch let fault as JSONPatch.Fault {
            guard fault.kind == .inapplicable, case .success(let expected) = theirs else { return }
            throw FuzzFinding(description: "refused (\(fault)), by its RFC \(expected)")
        }
    }
}
