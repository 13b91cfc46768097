import SchedulerService

#if canImport(Glibc)
    import Glibc
#endif

exit(await Scheduler.program.run())
