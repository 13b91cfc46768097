import TriggerRouterService

#if canImport(Glibc)
    import Glibc
#endif

exit(await TriggerRouter.program.run())
