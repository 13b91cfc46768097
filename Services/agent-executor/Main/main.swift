import AgentExecutorService

#if canImport(Glibc)
    import Glibc
#endif

exit(await AgentExecutor.program.run())
