/// Why a process could not be started.
public enum ProcessError: Error, Sendable, Equatable {
    /// The program does not exist; for a script, the interpreter of its `#!` line.
    case programNotFound(String)
    /// The program may not be executed (mode, mount option or a folder on the way).
    case accessDenied(String)
    /// Neither a binary of this machine nor a script with a `#!` line.
    case notExecutable(String)
    /// Arguments and environment are larger than the kernel takes (128 KiB a string, a quarter of the stack in all).
    case argumentsTooLarge
    /// An argument or a variable contains a NUL, or a variable's name is empty or has a `=`.
    case argumentInvalid(String)
    case workingDirectoryUnusable(path: String, errno: Int32)
    case workFolderUnusable(path: String, errno: Int32)
    /// No process, memory or descriptor left (EAGAIN, ENOMEM, EMFILE, ENFILE); trying later may help.
    case resourcesExhausted(call: String, errno: Int32)
    case system(call: String, errno: Int32)
    /// The task was cancelled before the process was started.
    case cancelledBeforeStart
    /// The runner has been shut down.
    case closed
}
