import Model
import ResourceOwnership
import Testing

func owned(
    _ uid: String, by owners: [String] = [], blocking: Bool = false, kind: String = "Operation",
    deletion: OwnedObject.Deletion = .unrequested
) -> OwnedObject {
    OwnedObject(
        plural: "operations", name: "name-of-\(uid)", uid: UID(uid),
        owners: owners.map {
            OwnerReference(
                apiVersion: API.groupVersion, kind: kind, name: "name-of-\($0)", uid: UID($0), blockOwnerDeletion: blocking ? true : nil)
        }, deletion: deletion)
}

func uids(_ names: String...) -> Set<UID> { Set(names.map { UID($0) }) }

@Suite struct VerdictTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var states: [OwnerState]
        var expected: Verdict
        var deletion = OwnedObject.Deletion.unrequested
        var dependents: [OwnedObject] = []

        var testDescription: String { "\(states) \(deletion) \(dependents.count)" }
    }

    private static let middle = owned("child", by: ["x"])
    private static let waiting = owned("child", by: ["x"], deletion: .foreground)

    static let cases: [Case] = [
        Case(states: [], expected: .keep),
        Case(states: [.present], expected: .keep),
        Case(states: [.absent], expected: .delete(nil, unblocks: false)),
        Case(states: [.absent, .absent], expected: .delete(nil, unblocks: false)),
        Case(states: [.present, .absent], expected: .release(uids("o1"))),
        Case(states: [.present, .undecided, .absent], expected: .release(uids("o2"))),
        Case(states: [.leaving, .present], expected: .release(uids("o0"))),
        Case(states: [.leaving, .absent, .present], expected: .release(uids("o0", "o1"))),
        Case(states: [.undecided], expected: .undecided),
        Case(states: [.absent, .undecided], expected: .undecided),
        Case(states: [.leaving, .undecided], expected: .undecided),
        Case(states: [.present, .undecided], expected: .undecided),
        Case(states: [.unresolvable], expected: .keep),
        Case(states: [.unresolvable, .undecided], expected: .undecided),
        Case(states: [.unresolvable, .absent], expected: .release(uids("o1"))),
        Case(states: [.leaving], expected: .delete(nil, unblocks: false)),
        Case(states: [.leaving], expected: .delete(.foreground, unblocks: false), dependents: [middle]),
        Case(states: [.leaving], expected: .delete(.foreground, unblocks: true), dependents: [middle, waiting]),
        Case(states: [.absent], expected: .delete(nil, unblocks: false), dependents: [middle]),
        Case(states: [.orphaning], expected: .release(uids("o0"))),
        Case(states: [.orphaning, .absent], expected: .release(uids("o0"))),
        Case(states: [.undecided, .orphaning], expected: .release(uids("o1"))),
        Case(states: [.absent], expected: .keep, deletion: .requested),
        Case(states: [.leaving], expected: .keep, deletion: .foreground),
        Case(states: [.undecided, .absent], expected: .undecided, deletion: .requested),
        Case(states: [.orphaning], expected: .release(uids("o0")), deletion: .requested),
    ]

    @Test(arguments: cases) func isKubernetes(_ example: Case) {
        let object = owned("me", by: example.states.indices.map { "o\($0)" }, deletion: example.deletion)
        #expect(Verdict(object, example.states, dependents: example.dependents) == example.expected)
    }

    /// Every combination of four owners: nothing goes that an owner may still want.
    @Test func nothingGoesOnAWrongBelief() {
        let all: [OwnerState] = [.present, .leaving, .orphaning, .absent, .undecided, .unresolvable]
        for first in all {
            for second in all {
                for third in all {
                    for fourth in all {
                        let states = [first, second, third, fourth]
                        let verdict = Verdict(owned("me", by: ["o0", "o1", "o2", "o3"]), states, dependents: [])
                        let isUnowned = states.allSatisfy { $0 == .absent || $0 == .leaving }
                        if case .delete = verdict { #expect(isUnowned, "\(states)") } else { #expect(!isUnowned, "\(states)") }
                        if case .release(let owners) = verdict {
                            for (index, state) in states.enumerated() where owners.contains(UID("o\(index)")) {
                                #expect([.absent, .leaving, .orphaning].contains(state), "\(states)")
                            }
                        }
                    }
                }
            }
        }
    }
}
