import KubeDiagCommand

#if canImport(Glibc)
    import Glibc
#endif

@main
enum Main {
    static func main() async {
        exit(await CommandLineProgram.run(Array(CommandLine.arguments.dropFirst())))
    }
}
