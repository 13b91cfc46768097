import GraphBuilderService

#if canImport(Glibc)
    import Glibc
#endif

exit(await GraphBuilder.program.run())
