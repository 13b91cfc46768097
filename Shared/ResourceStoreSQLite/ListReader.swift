import GRDB
import Model
import ResourceStore

/// Reads one page of a list from one consistent state.
struct ListReader {
    let query: ListQuery
    let token: ContinuationToken?
    let storeID: String

    func page(from db: Database) throws -> ListPage {
        let revision = try token?.revision ?? MetaTable.revision(in: db)
        if let name = exactName, token == nil { return try exactPage(name, revision, db) }
        var items: [StoredObject] = []
        var last: (namespace: String, name: String)?
        let rows = try cursor(db)
        while let row = try rows.next() {
            let labels = try ObjectTable.labels(of: row)
            let fields = try ObjectTable.fields(of: row)
            guard query.labels.matches(labels), query.fields.matches(name: row[2], namespace: row[1], fields: fields) else { continue }
            if let limit = query.limit, limit > 0, items.count == limit {
                last = items.last.map { ($0.key.namespace, $0.key.name) }
                break
            }
            items.append(try ObjectTable.object(of: row, plural: query.plural, labels: labels, fields: fields))
        }
        guard let last else { return ListPage(items: items, revision: revision, continuation: nil, remaining: nil) }
        let next = ContinuationToken(revision: revision, namespace: last.namespace, name: last.name)
        return ListPage(
            items: items, revision: revision,
            continuation: next.text(plural: query.plural, namespace: query.namespace, storeID: storeID),
            remaining: try remaining(after: last, db))
    }

    /// The name that the field selector asks for, where with a namespace it names one object.
    private var exactName: String? {
        guard query.namespace != nil else { return nil }
        return query.fields.requirements.first { $0.field == "metadata.name" && $0.isEqual }?.value
    }

    private func exactPage(_ name: String, _ revision: Int64, _ db: Database) throws -> ListPage {
        let object = try ObjectTable.find(ObjectKey(plural: query.plural, namespace: query.namespace ?? "", name: name), in: db)?.object
        let items = [object].compactMap { $0 }.filter {
            query.labels.matches($0.labels) && query.fields.matches(name: $0.key.name, namespace: $0.key.namespace, fields: $0.fields)
        }
        return ListPage(items: items, revision: revision, continuation: nil, remaining: nil)
    }

    private func cursor(_ db: Database) throws -> RowCursor {
        let (condition, arguments) = condition(after: token.map { ($0.namespace, $0.name) })
        let statement = try db.cachedStatement(
            sql: "SELECT \(ObjectTable.columns) FROM objects WHERE \(condition) ORDER BY plural, namespace, name")
        return try Row.fetchCursor(statement, arguments: arguments)
    }

    /// Counted along the index alone, and only where no selector would make it a lie.
    private func remaining(after last: (namespace: String, name: String), _ db: Database) throws -> Int? {
        guard query.labels.requirements.isEmpty, query.fields.requirements.isEmpty else { return nil }
        let (condition, arguments) = condition(after: last)
        return try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM objects WHERE \(condition)"), arguments: arguments)
    }

    private func condition(after last: (namespace: String, name: String)?) -> (String, StatementArguments) {
        switch (query.namespace, last) {
        case (let namespace?, let last): ("plural = ? AND namespace = ? AND name > ?", [query.plural, namespace, last?.name ?? ""])
        case (nil, let last?): ("plural = ? AND (namespace, name) > (?, ?)", [query.plural, last.namespace, last.name])
        case (nil, nil): ("plural = ?", [query.plural])
        }
    }
}
