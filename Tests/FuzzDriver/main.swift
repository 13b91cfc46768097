import CFuzzEngine
import Foundation
import FuzzTargets

// fuzz-parsers list | replay TARGET FILE… | words TARGET | [libFuzzer's arguments, with the target in FUZZ_TARGET]. Run by scripts/fuzz.
// The engine runs the program again by its own arguments when it merges, so the target is none of them.

/// libFuzzer calls a C function, which can hold nothing of its own.
nonisolated(unsafe) private var current: FuzzTarget?  // set once, before the engine starts

private func stop(_ message: String, status: Int32) -> Never {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
    exit(status)
}

private func target(_ name: String) -> FuzzTarget {
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        stop("no target \(name); there are \(FuzzTarget.all.map(\.name).joined(separator: ", "))", status: 64)
    }
    return target
}

/// A dictionary in libFuzzer's form.
private func dictionary(_ words: [String]) -> String {
    words.map { word in
        let text = word.utf8.map { (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C ? String(UnicodeScalar($0)) : escape($0) }
        return "\"\(text.joined())\"\n"
    }.joined()
}

private func escape(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return "\\x" + (digits.count < 2 ? "0" : "") + digits
}

private func replay(_ target: FuzzTarget, _ paths: [String]) throws {
    for path in paths {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        print("\(path): \(Input(target: target, bytes: bytes).run() ?? "ok")")
    }
}

private func fuzz(_ target: FuzzTarget, _ arguments: [String]) -> Never {
    guard fuzz_engine_is_linked() != 0 else {
        stop("this program was built without libFuzzer: run scripts/fuzz", status: 69)
    }
    current = target
    var pointers = ([CommandLine.arguments[0], "-max_len=\(target.bytesMax)"] + arguments).map { strdup($0) }
    let status = fuzz_engine_run(Int32(pointers.count), &pointers) { bytes, count in
        guard let target = current else { return 0 }
        let input = Array(UnsafeBufferPointer(start: bytes, count: count))
        if let finding = Input(target: target, bytes: input).run() {
            FileHandle.standardError.write(Data("== finding in \(target.name): \(finding)\n".utf8))
            abort()  // the engine then keeps the input
        }
        return 0
    }
    exit(status)
}

private let arguments = CommandLine.arguments.dropFirst()
switch (arguments.first, arguments.count) {
case ("list", 1): for target in FuzzTarget.all { print(target.name) }
case ("words", 2): print(dictionary(target(arguments[2]).words), terminator: "")
case ("replay", 2...): try replay(target(arguments[2]), Array(arguments.dropFirst(2)))
default:
    guard let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] else {
        stop("usage: fuzz-parsers list | words TARGET | replay TARGET FILE… | FUZZ_TARGET=TARGET fuzz-parsers [ARGUMENT…]", status: 64)
    }
    fuzz(target(name), Array(arguments))
}
