import BenchmarkSupport
import JSONCoding
import TestSupport

/// Kubernetes Events in requests of 500, half of which a trigger matches that may fire once an hour.
extension StormBench {
    private static let events = 50_000
    private static let eventsPerRequest = 500

    func runEvents() async throws {
        for number in 0..<Self.triggers {
            try await cluster.create(
                "Trigger", "event-\(number)",
                #"{"operationSet":"storm","rateLimit":{"perHour":1},"sourceTemplate":{"kubernetesEventTemplate":{"regexp":{"reason":"^Reason\#(number)$"}}}}"#
            )
        }
        let bodies = stride(from: 0, to: Self.events, by: Self.eventsPerRequest).map { first in
            JSON.array((first..<first + Self.eventsPerRequest).map(Self.event)).encoded()
        }
        let (before, resident) = (try await state(), try router().residentMiB)
        let start = ContinuousClock.now
        try await send(bodies, to: "/api/v1/receivers/kubernetes-events")
        let rate = Double(Self.events) / (milliseconds(since: start) / 1000)
        let after = try await state()
        print(
            "storm: \(Self.events) Kubernetes events, half matched by \(Self.triggers) triggers: \(Int(rate)) a second, \(after.diagnoses - before.diagnoses) diagnoses"
        )
        print(
            "storm:   router \(rounded(resident)) MiB before, \(rounded(try router().residentMiB)) after, \(rounded(try router().peakMiB)) at most"
        )
    }

    private static func event(_ number: Int) -> JSON {
        [
            "apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": .string("Reason\(number % (2 * triggers))"),
            "message": .string("Back-off restarting failed container \(number)"), "count": 1,
            "metadata": ["name": .string("event-\(number)"), "namespace": "shop", "uid": .string("uid-\(number)")],
            "involvedObject": ["kind": "Pod", "namespace": "shop", "name": .string("pod-\(number % 500)")],
            "source": ["component": "kubelet", "host": .string("web-\(number % 100)")], "lastTimestamp": "2026-11-22T19:01:58Z",
        ]
    }
}
