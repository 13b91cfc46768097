// A process for the store's tests to kill or to shut into a small disk: `stream DIRECTORY SEED` or `fill DIRECTORY`.
let arguments = CommandLine.arguments
if arguments.count == 4, arguments[1] == "stream", let seed = UInt64(arguments[3]) {
    await TransactionStream(directory: arguments[2], seed: seed).run()
} else if arguments.count == 3, arguments[1] == "fill" {
    await DiskFiller(directory: arguments[2]).run()
} else {
    say("usage: store-writer stream DIRECTORY SEED | fill DIRECTORY")
}
