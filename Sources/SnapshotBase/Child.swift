import CLinux
import Glibc
import Synchronization

/// A program to start, with its arguments and pipes. It inherits no descriptors, and only a few variables of the
/// environment: the others may hold credentials.
package struct Command: Sendable {
    /// A path, or a name that is looked up in PATH.
    package var program: String
    package var arguments: [String]
    /// The Debian package that contains the program, for a hint.
    package var package: String?
    /// The bytes that the child can read, by its descriptor; at most 4,096 bytes each, so that they fit in a pipe.
    package var inputs: [Int32: [UInt8]] = [:]
    /// Open files to pass to the child, by its descriptor.
    package var handles: [Int32: FileHandle] = [:]
    /// The child's descriptors that the parent reads; standard output and error go to `/dev/null` if not listed.
    package var outputs: Set<Int32> = [1, 2]
    /// Whether the kernel kills the child when the thread that started it ends, and so also when this process ends.
    package var endsWithThread = true
    /// Whether the child runs as the user of this process, even if `Child.user` is set.
    package var keepsUser = false

    private let environment: Environment

    /// - Parameter environment: that of this process.
    package init(
        _ program: String, _ arguments: [String], package: String? = nil, environment: Environment
    ) {
        self.program = program
        self.arguments = arguments
        self.package = package
        self.environment = environment
    }

    /// The path of the program.
    /// - Throws: `Failure` with the code `no-<program>` if it is not installed.
    package func path() throws(Failure) -> String {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        for path in program.contains("/") ? [program] : folders.map({ "\($0)/\(program)" }) {
            if access(path, X_OK) == 0 { return path }
            let error = SystemError("access")
            guard error.isOfProgram else { throw .notStarted(self, error) }
        }
        throw .notInstalled(self, program.contains("/") ? SystemError("access") : nil)
    }

    private static let kept = ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH"]

    /// The child's environment. `TZ` makes the times that it prints UTC.
    fileprivate var childEnvironment: [String] {
        Self.kept.compactMap { name in environment[name].map { "\(name)=\($0)" } } + ["TZ=UTC"]
    }
}

/// A running program and its process group. `deinit` kills and reaps it, so that no orphan or zombie remains.
package final class Child {
    /// The user that children run as; nil: the user of this process.
    package static let user = Mutex<UserAccount?>(nil)

    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(Int32)
    }

    /// Children that were left behind and must still be reaped.
    private static let leftBehind = Mutex<[pid_t]>([])

    package let pid: pid_t
    /// The parent's ends of `Command.outputs`, non-blocking, by the child's descriptor, until they are closed.
    package private(set) var outputs: [Int32: FileHandle]
    /// A pidfd, which becomes readable when the child has ended; nil on kernels before 5.3.
    package let endDescriptor: Int32?
    package private(set) var ending: Ending?
    /// Why an output could not be read to its end.
    var unread: SystemError?
    private let endHandle: FileHandle?

    /// - Throws: `Failure` with the code `no-<program>` if the program is not installed, else `start-<program>`.
    package init(_ command: Command) throws(Failure) {
        let path = try command.path()
        do throws(SystemError) {
            let pipes = try Pipes(command)
            pid = try Self.spawn(path, command, pipes)
            outputs = pipes.ours
        } catch {
            throw .notStarted(command, error)
        }
        let end = shim_pidfd(pid)
        endHandle = end >= 0 ? FileHandle(owning: end) : nil
        endDescriptor = endHandle?.descriptor
    }

    deinit { stop(grace: .zero) }

    private static func spawn(_ path: String, _ command: Command, _ pipes: Pipes) throws(SystemError) -> pid_t {
        var arguments = ([command.program] + command.arguments).map { strdup($0) } + [nil]
        var environment = command.childEnvironment.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        let descriptors = pipes.theirs.map(\.descriptor)
        let user = command.keepsUser ? nil : user.withLock { $0 }
        // The descriptor numbers are valid only while the pipes are open.
        let pid = withExtendedLifetime(pipes) {
            shim_spawn(
                path, &arguments, &environment, descriptors, Int32(clamping: descriptors.count), command.endsWithThread,
                user?.id ?? 0, user?.group ?? 0, user.map { _ in UserAccount.videoGroup } ?? 0)
        }
        guard pid > 0 else { throw SystemError(pid == -2 ? "exec" : "fork") }
        return pid
    }

    /// Closes the parent's end of the child's `descriptor`.
    package func close(_ descriptor: Int32) { outputs[descriptor] = nil }

    /// Sends a signal to the whole process group, unless the child has ended.
    package func signal(_ number: Int32) {
        if poll() == nil { kill(-pid, number) }
    }

    /// Gives up waiting for a killed child that the kernel still blocks, e.g. in a folder on an unreachable server. It
    /// counts as ended by SIGKILL and is reaped later.
    /// - Returns: false if it has already ended.
    package func leaveBehind() -> Bool {
        guard poll() == nil else { return false }
        Self.leftBehind.withLock { $0.append(pid) }
        ending = .killed(SIGKILL)
        return true
    }

    /// Reaps the children that were left behind and have since ended.
    package static func reapLeftBehind() { leftBehind.withLock { $0.removeAll { waitpid($0, nil, WNOHANG) != 0 } } }

    /// How the child ended; nil while it runs. The rest of its process group is killed when it has ended.
    @discardableResult
    package func poll() -> Ending? { reap(WNOHANG) }

    private func reap(_ options: Int32) -> Ending? {
        if let ending { return ending }
        var facts = siginfo_t()
        // WNOWAIT: the number of the group can't be reused until the child is reaped, so the kill below is safe.
        let waited = retrying { waitid(P_PID, id_t(pid), &facts, WEXITED | WNOWAIT | options) }
        guard waited == 0, facts.si_signo == SIGCHLD else { return nil }
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        retrying { waitpid(pid, &status, 0) }
        ending = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(status & 0x7F)
        return ending
    }

    /// Waits until the child has ended; nil if `deadline` passes first.
    package func wait(until deadline: Deadline) -> Ending? {
        var pause = 1
        while poll() == nil, !deadline.hasPassed {
            var end = [pollfd(fd: endDescriptor ?? -1, events: Int16(POLLIN), revents: 0)]
            let limit = endDescriptor == nil ? pause : 60_000
            Glibc.poll(&end, 1, Int32(clamping: min(limit, deadline.millisecondsLeft)))
            pause = min(pause * 2, 50)
        }
        return ending
    }

    /// Sends SIGTERM, waits for at most `grace`, then sends SIGKILL; returns when the child has ended.
    @discardableResult
    package func stop(grace: Duration) -> Ending {
        if grace > .zero {
            signal(SIGTERM)
            if let ending = wait(until: .after(grace)) { return ending }
        }
        signal(SIGKILL)
        return reap(0) ?? .killed(SIGKILL)
    }
}

extension Failure {
    /// The error for a program that is not installed, with a hint if its package is known.
    fileprivate static func notInstalled(_ command: Command, _ error: SystemError?) -> Failure {
        Failure(
            .missing(command.program), "cannot run", command.program, why: error?.description ?? "it is not installed",
            hint: command.package.map { "install \($0), e.g. apt install \($0)" })
    }

    static func notStarted(_ command: Command, _ error: SystemError) -> Failure {
        Failure(
            .notStarted(command.program), "cannot start", command.program, why: "\(error.call): \(error)", cause: error)
    }

    /// Whether a program couldn't be run for what it is. Otherwise this machine has no memory, process or descriptor
    /// left for it, or its disk fails, and a later try may succeed.
    package var isOfProgram: Bool {
        if case .missing = code { return true }
        guard let error = cause as? SystemError else { return false }
        return error.call == "exec" && error.isOfProgram
    }
}

extension SystemError {
    /// Whether `access` or `execve` fails so because of the file that it is given.
    fileprivate var isOfProgram: Bool {
        [ENOENT, ENOTDIR, EACCES, EPERM, ENOEXEC, EISDIR, EINVAL, ELOOP, ENAMETOOLONG, ELIBBAD, E2BIG].contains(number)
    }
}

/// Both ends of a command's pipes.
private struct Pipes {
    var ours: [Int32: FileHandle] = [:]
    /// The child's ends; the index is the child's descriptor.
    var theirs: [FileHandle] = []

    init(_ command: Command) throws(SystemError) {
        let numbers = [2] + Array(command.inputs.keys) + Array(command.handles.keys) + Array(command.outputs)
        let count = (numbers.max() ?? 2) + 1
        for number in 0..<count {
            let end: FileHandle
            if let bytes = command.inputs[number] {
                let (reader, writer) = try makePipe()
                // The pipe is filled before its reader exists elsewhere, so writing neither blocks nor raises SIGPIPE.
                guard bytes.count <= 4096 else { throw SystemError("pipe", number: E2BIG) }
                try writer.write(bytes)
                end = reader
            } else if command.outputs.contains(number) {
                let (reader, writer) = try makePipe()
                guard fcntl(reader.descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
                ours[number] = reader
                end = writer
            } else if let handle = command.handles[number] {
                end = handle
            } else {
                end = try FileHandle(opening: "/dev/null", O_RDWR)
            }
            // Move it above the descriptors that the child will use.
            let moved = fcntl(end.descriptor, F_DUPFD_CLOEXEC, count)
            guard moved >= 0 else { throw SystemError("fcntl") }
            theirs.append(FileHandle(owning: moved))
        }
    }

}

/// Creates a pipe whose ends are close-on-exec.
package func makePipe() throws(SystemError) -> (reader: FileHandle, writer: FileHandle) {
    var ends: [Int32] = [-1, -1]
    guard shim_pipe(&ends) == 0 else { throw SystemError("pipe") }
    return (FileHandle(owning: ends[0]), FileHandle(owning: ends[1]))
}
