import JSONCoding
import Model

extension DecisionRecord {
    /// One line without its end. As `Codable` writes it, but for the order of members, and without its detours: a request may bring ten thousand
    /// alerts.
    public var encoded: [UInt8] {
        var line = JSONLine()
        line.object { line in
            line.object("decision") { $0.members(of: decision) }
            if let rest { line.object("rest") { $0.members(of: rest) } }
        }
        return line.bytes
    }
}

/// JSON that is written member by member.
private struct JSONLine {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    init() { bytes.reserveCapacity(1024) }

    mutating func object(_ name: StaticString? = nil, _ members: (inout JSONLine) -> Void) {
        if let name { key(name) }
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
        members(&self)
        bytes.append(UInt8(ascii: "}"))
        isFirst = false
    }

    mutating func array<Element>(_ name: StaticString, _ elements: [Element], _ write: (inout JSONLine, Element) -> Void) {
        key(name)
        bytes.append(UInt8(ascii: "["))
        isFirst = true
        for element in elements {
            separate()
            write(&self, element)
        }
        bytes.append(UInt8(ascii: "]"))
        isFirst = false
    }

    mutating func string(_ name: StaticString, _ value: String?) {
        guard let value else { return }
        key(name)
        JSON.append(string: value, to: &bytes)
    }

    mutating func number(_ name: StaticString, _ value: Int?) {
        guard let value else { return }
        key(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func strings(_ name: StaticString, _ values: [String: String]) {
        object(name) { line in
            for (name, value) in values {
                line.separate()
                JSON.append(string: name, to: &line.bytes)
                line.bytes.append(UInt8(ascii: ":"))
                JSON.append(string: value, to: &line.bytes)
            }
        }
    }

    private mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func separate() {
        if isFirst { isFirst = false } else { bytes.append(UInt8(ascii: ",")) }
    }
}

// MARK: - Members

extension JSONLine {
    mutating func members(of decision: Decision) {
        string("time", decision.time.description)
        string("receiver", decision.receiver)
        string("peer", decision.peer)
        string("alertname", decision.alertname)
        strings("labels", decision.labels)
        string("startsAt", decision.startsAt?.description)
        string("outcome", decision.outcome.rawValue)
        array("triggers", decision.triggers) { line, trigger in line.object { $0.members(of: trigger) } }
        number("triggersOmitted", decision.triggersOmitted)
        number("labelsOmitted", decision.labelsOmitted)
        string("fingerprint", decision.fingerprint)
        if let misses = decision.misses {
            array("misses", misses) { line, miss in line.object { $0.members(of: miss) } }
        }
        number("missesOmitted", decision.missesOmitted)
        string("traceID", decision.traceID)
    }

    mutating func members(of outcome: TriggerOutcome) {
        string("trigger", outcome.trigger)
        string("outcome", outcome.outcome.rawValue)
        string("reason", outcome.reason)
        string("message", outcome.message)
        if let diagnosis = outcome.diagnosis {
            object("diagnosis") { line in
                line.string("namespace", diagnosis.namespace)
                line.string("name", diagnosis.name)
                line.string("uid", diagnosis.uid?.rawValue)
            }
        }
        string("until", outcome.until?.description)
    }

    mutating func members(of miss: TriggerMiss) {
        string("trigger", miss.trigger)
        string("field", miss.field)
        string("text", miss.text)
        string("pattern", miss.pattern)
        string("message", miss.message)
    }

    mutating func members(of rest: DecisionRecord.Remainder) {
        string("origin", rest.origin)
        strings("annotations", rest.annotations)
        string("startsAt", rest.startsAt)
        string("endsAt", rest.endsAt)
        string("generatorURL", rest.generatorURL)
        string("status", rest.status)
    }
}
