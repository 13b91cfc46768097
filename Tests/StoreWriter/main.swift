import Foundation

await StoreWriter(directory: CommandLine.arguments[1], seed: UInt64(CommandLine.arguments[2]) ?? 0).run()
