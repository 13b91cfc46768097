import Model
import Testing

@testable import EventRecording

private let start = Timestamp(seconds: 1_800_000_000)

private func note(_ message: String, about name: String = "d", _ reason: String = "Failed") -> EventNote {
    EventNote(ObjectReference(kind: "Diagnosis", namespace: "ns", name: name, uid: UID("u-\(name)")), .warning, reason, message)
}

@Suite struct NoteQueueTests {
    @Test func whatSaysTheSameIsOne() throws {
        var queue = NoteQueue(entriesMax: 10)
        for second in 0..<3 { #expect(queue.add(note("x"), at: start.adding(seconds: Double(second))) == .taken) }
        #expect(queue.add(note("x", about: "other"), at: start) == .taken)
        let popped = queue.pop()
        let entry = try #require(popped)
        #expect(entry.count == 3 && entry.first == start && entry.last == start.adding(seconds: 2))
        let (next, last) = (queue.pop(), queue.pop())
        #expect(next?.note.object.name == "other")
        #expect(last == nil && queue.count == 0)
    }

    @Test func aFullQueueTakesRepeatsAlone() {
        var queue = NoteQueue(entriesMax: 2)
        #expect(queue.add(note("x", about: "a"), at: start) == .taken)
        #expect(queue.add(note("x", about: "b"), at: start) == .taken)
        #expect(queue.add(note("x", about: "c"), at: start) == .full)
        #expect(queue.add(note("x", about: "a"), at: start) == .taken)
        let popped = queue.pop()
        #expect(popped?.count == 2)
        #expect(queue.add(note("x", about: "c"), at: start) == .taken)
    }

    @Test func anObjectHasTwentyFiveAtOnceAndOneMoreEachFiveMinutes() {
        var queue = NoteQueue(entriesMax: 1000)
        var answers: [NoteQueue.Answer] = []
        for number in 0..<30 { answers.append(queue.add(note("x", "Reason\(number)"), at: start)) }
        #expect(answers == Array(repeating: .taken, count: 25) + Array(repeating: .spam, count: 5))
        #expect(queue.add(note("x", about: "other"), at: start) == .taken)
        #expect(queue.add(note("x", "Later"), at: start.adding(seconds: 299)) == .spam)
        #expect(queue.add(note("x", "Later"), at: start.adding(seconds: 300)) == .taken)
        #expect(queue.add(note("x", "Later2"), at: start.adding(seconds: 300)) == .spam)
    }

    @Test func fromTheEleventhMessageOnSimilarOnesAreOne() throws {
        var queue = NoteQueue(entriesMax: 1000)
        for number in 0..<14 { #expect(queue.add(note("started \(number)"), at: start) == .taken) }
        #expect(queue.add(note("started 3"), at: start) == .taken, "what was told by itself goes on so")
        #expect(queue.count == 11)
        var entries: [NoteQueue.Entry] = []
        while let entry = queue.pop() { entries.append(entry) }
        let combined = try #require(entries.last)
        #expect(combined.count == 4 && combined.note.message == "(combined from similar events): started 13")
        #expect(entries[3].count == 2 && entries[3].note.message == "started 3")
        // After ten quiet minutes it begins anew.
        #expect(queue.add(note("started 20"), at: start.adding(seconds: 601)) == .taken)
        let next = queue.pop()
        #expect(next?.note.message == "started 20")
    }

    @Test func namesAreOfTheObjectAndTheTopic() {
        let name = note("x").name(from: "scheduler")
        #expect(name.hasPrefix("d.") && Names.subdomainFault(name) == nil)
        #expect(name == note("x").name(from: "scheduler"))
        #expect(
            Set([
                name, note("y").name(from: "scheduler"), note("x").name(from: "trigger-router"), note("x", "Other").name(from: "scheduler"),
            ]).count == 4)
        let long = note("x", about: String(repeating: "a", count: 235) + "-" + String(repeating: "b", count: 17)).name(from: "scheduler")
        #expect(long.utf8.count <= 253 && Names.subdomainFault(long) == nil, "\(long)")
        #expect(note("x").combinedWithSimilar.name(from: "s") == note("y").combinedWithSimilar.name(from: "s"))
    }

    @Test func longTextsAreCut() {
        let cut = note(String(repeating: "ä", count: 1000)).message
        #expect(cut.utf8.count <= 1024 && cut.hasSuffix("ä…"))
    }
}
