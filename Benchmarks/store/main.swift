await StoreBenchmark(arguments: CommandLine.arguments).run()
