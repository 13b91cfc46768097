import GRDB
import Model
import ResourceStore

/// Reads one page of a list from one consistent state: the present rows, rewound to the revision that the list is of.
struct ListReader {
    let query: ListQuery
    let token: ContinuationToken?
    let storeID: String
    let history: WatchHistory

    func page(from db: Database) throws -> ListPage {
        let present = try MetaTable.revision(in: db)
        let revision = (query.continuesInPresent ? nil : token?.revision) ?? query.revision ?? present
        var rewind = try Rewind(query, to: revision, from: present, behind: token?.place, history)
        if let name = exactName, token == nil, rewind.isEmpty { return try exactPage(name, revision, db) }
        var page = Page(query: query)
        try fill(&page, &rewind, db)
        guard let last = page.cutOffBehind else {
            return ListPage(items: page.items, revision: revision, continuation: nil, remaining: nil)
        }
        let remaining = try remaining(behind: last, items: page.items.count, rewind, db)
        let next = ContinuationToken(revision: revision, place: last, remaining: remaining)
        return ListPage(
            items: page.items, revision: revision,
            continuation: next.text(plural: query.plural, namespace: query.namespace, storeID: storeID),
            remaining: query.countsRemaining ? remaining : nil)
    }

    private func fill(_ page: inout Page, _ rewind: inout Rewind, _ db: Database) throws {
        let rows = try cursor(db)
        while let row = try rows.next() {
            if !rewind.isEmpty {
                let place = ListPlace(namespace: row[1], name: row[2])
                while let object = rewind.takeVanished(before: place) {
                    guard page.take(object) else { return }
                }
                switch rewind.takeRow(at: place) {
                case .unchanged: break
                case .absent: continue
                case .replaced(let object):
                    guard page.take(object) else { return }
                    continue
                }
            }
            let isTaken = try page.take(
                selects: { try selects(row) }, { try ObjectTable.object(of: row, plural: query.plural) })
            guard isTaken else { return }
        }
        while let object = rewind.takeVanished(before: nil) {
            guard page.take(object) else { return }
        }
    }

    /// A page as it fills up.
    private struct Page {
        let query: ListQuery
        var items: [StoredObject] = []
        /// The last object's place, once it is known that more follow.
        var cutOffBehind: ListPlace?

        /// Takes an object that the selectors let through; false where the page is full and there is one more.
        mutating func take(selects: () throws -> Bool, _ object: () throws -> StoredObject) rethrows -> Bool {
            guard try selects() else { return true }
            if let limit = query.limit, limit > 0, items.count == limit {
                cutOffBehind = items.last.map { ListPlace($0.key) }
                return false
            }
            items.append(try object())
            return true
        }

        mutating func take(_ object: StoredObject) -> Bool {
            let query = query
            return take(selects: { object.isSelected(query.labels, query.fields) }, { object })
        }
    }

    /// Whether the selectors let a row through. Without selectors nothing of it is read for that.
    private func selects(_ row: Row) throws -> Bool {
        if !query.labels.requirements.isEmpty, !query.labels.matches(try ObjectTable.labels(of: row)) { return false }
        if query.fields.requirements.isEmpty { return true }
        return query.fields.matches(name: row[2], namespace: row[1], fields: try ObjectTable.fields(of: row))
    }

    /// The name that the field selector asks for, where with a namespace it names one object.
    private var exactName: String? {
        guard query.namespace != nil else { return nil }
        return query.fields.requirements.first { $0.field == "metadata.name" && $0.isEqual }?.value
    }

    private func exactPage(_ name: String, _ revision: Int64, _ db: Database) throws -> ListPage {
        let object = try ObjectTable.find(ObjectKey(plural: query.plural, namespace: query.namespace ?? "", name: name), in: db)?.object
        let items = [object].compactMap { $0 }.filter { $0.isSelected(query.labels, query.fields) }
        return ListPage(items: items, revision: revision, continuation: nil, remaining: nil)
    }

    private func cursor(_ db: Database) throws -> RowCursor {
        let (condition, arguments) = condition(behind: token?.place)
        let statement = try db.cachedStatement(
            sql: "SELECT \(ObjectTable.columns) FROM objects WHERE \(condition) ORDER BY plural, namespace, name")
        return try Row.fetchCursor(statement, arguments: arguments)
    }

    /// How many objects follow: those that followed the page before, less this page's; else they are counted where that is wanted, and in
    /// either case only where no selector would make it a lie.
    private func remaining(behind last: ListPlace, items: Int, _ rewind: Rewind, _ db: Database) throws -> Int? {
        guard query.labels.requirements.isEmpty, query.fields.requirements.isEmpty else { return nil }
        if !query.continuesInPresent, let before = token?.remaining, before > items { return before - items }
        return query.countsRemaining ? try count(behind: last, db) + rewind.surplus(behind: last) : nil
    }

    /// Rows counted along the index alone.
    private func count(behind last: ListPlace, _ db: Database) throws -> Int {
        var count = try Self.count("namespace = ? AND name > ?", [query.plural, last.namespace, last.name], db)
        // Two plain ranges: to compare a pair of columns takes several times as long.
        if query.namespace == nil { count += try Self.count("namespace > ?", [query.plural, last.namespace], db) }
        return count
    }

    private static func count(_ condition: String, _ arguments: StatementArguments, _ db: Database) throws -> Int {
        let statement = try db.cachedStatement(sql: "SELECT count(*) FROM objects WHERE plural = ? AND \(condition)")
        return try Int.fetchOne(statement, arguments: arguments) ?? 0
    }

    private func condition(behind last: ListPlace?) -> (String, StatementArguments) {
        switch (query.namespace, last) {
        case (let namespace?, let last): ("plural = ? AND namespace = ? AND name > ?", [query.plural, namespace, last?.name ?? ""])
        case (nil, let last?): ("plural = ? AND (namespace, name) > (?, ?)", [query.plural, last.namespace, last.name])
        case (nil, nil): ("plural = ?", [query.plural])
        }
    }
}
