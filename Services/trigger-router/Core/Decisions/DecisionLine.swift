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
