import Model
import ResourceAPI
import ResourceStore

extension FuzzTarget {
    /// A continue token as a client sends it; and in a second and a third part a continuation that we make a token of, and what is done to
    /// that. A token that is honoured was made by us, for this list, within the hour.
    static let continueToken = FuzzTarget("continue-token", bytesMax: 2048, words: [Sections.separator]) { input in
        let parts = Sections(input)
        let query = ListQuery(plural: "triggers")
        let now = ServedObject.now
        if let text = parts.text(0),
            let token = try await refusable({ try ContinueToken(text: text, query: query, storeID: "a", now: now) })
        {
            try expect(token.text(storeID: "a") == text.lowercased(), "a token that is honoured is spelled \(token.text(storeID: "a"))")
        }
        guard let continuation = parts.text(1), continuation.utf8.count <= 1024 else { return }
        let made = ContinueToken(storeContinuation: continuation, query: query, issuedAt: now)
        let text = made.text(storeID: "a")
        // The store's own continuations are short.
        guard text.utf8.count <= ContinueToken.charactersMax else { return }
        try expect(try ContinueToken(text: text, query: query, storeID: "a", now: now) == made, "a token of ours reads back as another")

        let late = now.adding(seconds: ContinueToken.secondsMax + 1)
        var others = [
            (text, "a", ListQuery(plural: "triggers", namespace: "default"), now), (text, "b", query, now), (text, "a", query, late),
        ]
        var bytes = Array(text.utf8)
        for (index, byte) in parts[2].enumerated() where byte & 31 != 0 && bytes.indices.contains(index) {
            bytes[index] = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)[Int(bytes[index] &+ byte) & 31]
        }
        let forged = String(decoding: bytes, as: UTF8.self)
        if forged != text { others.append((forged, "a", query, now)) }
        others.append((text + "a", "a", query, now))
        others.append((String(text.dropLast()), "a", query, now))
        for (text, store, query, time) in others {
            let token = try await refusable { try ContinueToken(text: text, query: query, storeID: store, now: time) }
            try expect(token == nil, "honoured: \(text) for \(query) in \(store) at \(time)")
        }
    }
}
