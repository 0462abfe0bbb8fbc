import Glibc
import SnapshotBase

extension Failure {
    /// The error for a program that is not installed, with a hint if its package is known.
    static func notInstalled(_ command: Command, _ error: SystemError?) -> Failure {
        Failure(
            .missing(command.program), "cannot run", command.program, why: error?.description ?? "it is not installed",
            hint: command.package.map { "install \($0), e.g. apt install \($0)" })
    }

    static func notStarted(_ command: Command, _ error: SystemError) -> Failure {
        Failure(
            .notStarted(command.program), "cannot start", command.program, why: "\(error.call): \(error)", cause: error)
    }

    static func hangs(_ command: Command, after time: Duration) -> Failure {
        var failure = notStarted(command, SystemError("exec", number: ETIME))
        failure.why += ": nothing happened for \(Int(time.seconds.rounded())) s"
        if command.program.contains("/") { failure.hint = hangHint(parentDirectory(command.program)) }
        return failure
    }

    static func stillHangs(_ command: Command, _ process: pid_t) -> Failure {
        var failure = notStarted(command, SystemError("exec", number: ETIME))
        failure.why = "process \(process) of an earlier run still hangs"
        failure.hint =
            "check what it waits for, such as a server that doesn't respond: ps -o stat,wchan,args \(process)"
        return failure
    }

    /// What to do about a folder that hangs.
    package static func hangHint(_ folder: String) -> String {
        "check whether the server or disk of \(folder) responds"
    }

    /// Whether the program's file is the cause (missing, not executable, of a wrong format), so that a later try fails,
    /// too. Otherwise the machine lacks memory, processes or descriptors, or its disk fails: a later try may succeed.
    package var isOfProgram: Bool {
        if case .missing = code { return true }
        guard let error = cause as? SystemError else { return false }
        return error.call == "exec" && error.isOfProgram
    }
}

extension SystemError {
    /// Whether this error of `access` or `execve` is due to the file that it is given.
    var isOfProgram: Bool {
        [ENOENT, ENOTDIR, EACCES, EPERM, ENOEXEC, EISDIR, EINVAL, ELOOP, ENAMETOOLONG, ELIBBAD, E2BIG].contains(number)
    }
}
