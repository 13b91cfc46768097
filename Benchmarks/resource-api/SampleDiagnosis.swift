import Foundation
import JSONCoding
import Model
import ResourceStore

/// Diagnoses as a busy day leaves them: started by an alert, three steps that found something, field owners.
enum SampleDiagnosis {
    static let namespace = API.defaultNamespace

    static func name(_ index: Int) -> String { "high-disk-usage-\(index + 10_000)-k3v5q2w7" }

    static func encoded(_ index: Int) throws -> EncodedObject {
        try EncodedObject(try object(index), definition: Diagnosis.definition)
    }

    static func object(_ index: Int) throws -> JSON {
        let start = Timestamp(seconds: Int64(Date().timeIntervalSince1970) - Int64(index * 7 % 86_400) - 60)
        let node = "web-\(10 + index % 80)"
        return [
            "apiVersion": .string(API.groupVersion), "kind": "Diagnosis", "metadata": metadata(index, node, start),
            "spec": [
                "operationSet": "disk-usage", "nodeName": .string(node),
                "parameters": ["mountpoint": "/var/lib/docker", "threshold": "85", "device": "/dev/nvme0n1p2"],
                "activeDeadlineSeconds": 600, "ttlSecondsAfterFinished": 864_000,
            ],
            "status": status(index, node, start),
        ]
    }

    private static func time(_ start: Timestamp, _ seconds: Double) -> JSON { .string(start.adding(seconds: seconds).description) }

    private static func metadata(_ index: Int, _ node: String, _ start: Timestamp) -> JSON {
        let alert = #"{"alertname":"HighDiskUsage","device":"/dev/nvme0n1p2","instance":"\#(node):9100","severity":"critical"}"#
        let owned: JSON = [
            "f:metadata": [
                "f:annotations": [
                    ".": [:], "f:\(WellKnown.alertAnnotation)": [:], "f:\(WellKnown.alertLabelsAnnotation)": [:],
                    "f:\(WellKnown.startsAtAnnotation)": [:], "f:\(WellKnown.triggerAnnotation)": [:],
                ],
                "f:labels": [".": [:], "f:\(WellKnown.alertLabel)": [:], "f:\(WellKnown.triggerLabel)": [:]],
            ],
            "f:spec": [
                "f:activeDeadlineSeconds": [:], "f:nodeName": [:], "f:operationSet": [:],
                "f:parameters": [".": [:], "f:device": [:], "f:mountpoint": [:], "f:threshold": [:]],
                "f:ttlSecondsAfterFinished": [:],
            ],
        ]
        return [
            "name": .string(name(index)), "namespace": .string(namespace),
            "uid": .string(String(format: "8c1f4a52-9d1e-4c5b-8f3a-%012d", index)),
            "generation": 1, "creationTimestamp": time(start, 0),
            "labels": [WellKnown.alertLabel: "HighDiskUsage", WellKnown.triggerLabel: "high-disk-usage", "team": "storage"],
            "annotations": [
                WellKnown.alertAnnotation: "HighDiskUsage", WellKnown.triggerAnnotation: "high-disk-usage",
                WellKnown.alertLabelsAnnotation: .string(alert), WellKnown.startsAtAnnotation: time(start, -30),
            ],
            "managedFields": [
                [
                    "apiVersion": .string(API.groupVersion), "fieldsType": "FieldsV1", "fieldsV1": owned, "manager": "trigger-router",
                    "operation": "Update", "time": time(start, 0),
                ]
            ],
        ]
    }

    private static func status(_ index: Int, _ node: String, _ start: Timestamp) -> JSON {
        let operations = ["df-inodes", "top-dirs", "deleted-open-files"]
        let steps = operations.enumerated().map { number, operation -> JSON in
            [
                "id": .integer(Int64(number + 1)), "operation": .string(operation), "phase": "Succeeded",
                "outcome": .string(number == 1 ? "Found" : "RuledOut"), "attempt": 1, "startTime": time(start, Double(number) + 0.214),
                "completionTime": time(start, Double(number) + 0.981), "message": .string("\(operation) took 0.77 s on \(node)"),
            ]
        }
        let path = operations.enumerated().map { number, operation -> JSON in
            ["id": .integer(Int64(number + 1)), "operation": .string(operation)]
        }
        let listing = (0..<8).map { "\(40 - $0 * 4)G\t/var/lib/docker/overlay2/\(index * 8 + $0)" }.joined(separator: "\n")
        return [
            "phase": "Succeeded", "observedGeneration": 1, "nodeName": .string(node), "reason": "Completed",
            "summary": .string("/var/lib/docker holds \(40 + index % 50)G, most of it in overlay2"),
            "operationSetHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "startTime": time(start, 0.2),
            "completionTime": time(start, 3.1), "steps": .array(steps), "succeededPath": .array(path),
            "progress": ["step": 3, "steps": 3, "operation": .string(operations[2])],
            "operationResults": ["top-dirs": .string(listing), "df-inodes": "/dev/nvme0n1p2 6553600 412330 6141270 7% /"],
            "conditions": [
                condition("Complete", "True", "Completed", start), condition("Failed", "False", "Completed", start),
                condition("Dispatched", "True", "AgentTookIt", start),
            ],
        ]
    }

    private static func condition(_ type: String, _ status: String, _ reason: String, _ start: Timestamp) -> JSON {
        [
            "type": .string(type), "status": .string(status), "reason": .string(reason), "message": "", "observedGeneration": 1,
            "lastTransitionTime": time(start, 3.1),
        ]
    }
}
