let bench = try await KafkaBench()
try await bench.run()
try await bench.close()
