import JSONCoding
import KubeDiagCommand
import Model

extension FuzzTarget {
    /// Manifests in YAML. JSON is YAML: a document that the JSON parser reads is the same manifest.
    static let manifest = FuzzTarget(
        "manifest", bytesMax: 4096,
        words: ["---\n", "apiVersion: ", "kind: ", "metadata:\n  ", "&a", "*a", "<<: ", "!!str ", "|\n", ">-\n", "- "]
    ) { input in
        let documents: [ManifestDocument]
        do throws(ManifestFault) {
            documents = try ManifestParser.parse(input, file: "manifest")
        } catch {
            try expect(error.line >= 0 && !error.message.isEmpty, "refused without a word")
            return
        }
        for document in documents {
            let bytes = document.json.encoded()
            let again = try ManifestParser.parse(bytes, file: "manifest")
            try expect(
                again.map(\.json) == [document.json] || document.json["kind"] == "List",
                "written as JSON it is another manifest: \(document.json) \(again.map(\.json))")
        }
    }
}
