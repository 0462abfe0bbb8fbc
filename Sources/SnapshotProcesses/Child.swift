import CLinux
import Glibc
import SnapshotBase
import Synchronization

/// A program to start, with its arguments and pipes. It inherits no descriptors but `handles`, and only a few variables
/// of the environment: the others may hold credentials.
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
    /// Whether the kernel kills the child when the thread that forked it ends, and so also when this process ends.
    package var isKilledWithThread = true
    /// Whether the child runs as the user of this process, even if `Child.user` is set.
    package var keepsUser = false
    /// The path of a file that records a child that was left behind. No other child is started until that has ended.
    package var leftBehindFile: String?

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

    /// Where the program may be.
    fileprivate var paths: [String] {
        if program.contains("/") { return [program] }
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        return folders.map { "\($0)/\(program)" }
    }

    /// - Throws: `Failure` with the code `no-<program>` if it is not installed.
    package func checkInstalled() throws(Failure) {
        guard !paths.contains(where: { access($0, X_OK) == 0 }) else { return }
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

    private let leftBehindFile: LeftBehindFile?
    /// How long to wait for a killed child before it is left behind.
    private static let killTimeout = Duration.seconds(2)

    /// - Parameter arrival: becomes readable when a termination signal arrives, which ends the wait for the start.
    /// - Throws: `Failure` with the code `no-<program>` if the program is not installed, else `start-<program>`.
    package init(
        _ command: Command, until deadline: Deadline = .after(.seconds(10)), or arrival: FileHandle? = nil
    ) throws(Failure) {
        Self.reapLeftBehind()
        leftBehindFile = command.leftBehindFile.map(LeftBehindFile.init)
        if let left = leftBehindFile?.process { throw .stillHangs(command, left) }
        let report: FileHandle
        do throws(SystemError) {
            let pipes = try Pipes(command)
            (pid, report) = try Self.spawn(command, pipes)
            outputs = pipes.ours
        } catch {
            throw .notStarted(command, error)
        }
        let end = shim_pidfd(pid)
        endHandle = end >= 0 ? FileHandle(owning: end) : nil
        endDescriptor = endHandle?.descriptor
        if let failure = Self.startFailure(report, command, deadline, arrival) { throw failure }
    }

    deinit { stop(grace: .zero) }

    private static func spawn(
        _ command: Command, _ pipes: Pipes
    ) throws(SystemError) -> (pid: pid_t, report: FileHandle) {
        var paths = command.paths.map { strdup($0) } + [nil]
        var arguments = ([command.program] + command.arguments).map { strdup($0) } + [nil]
        var environment = command.childEnvironment.map { strdup($0) } + [nil]
        defer { for text in paths + arguments + environment { free(text) } }
        let descriptors = pipes.theirs.map(\.descriptor)
        let user = command.keepsUser ? nil : user.withLock { $0 }
        var report: Int32 = -1
        // The descriptor numbers are valid only while the pipes are open.
        let pid = withExtendedLifetime(pipes) {
            shim_spawn(
                &paths, &arguments, &environment, descriptors, Int32(clamping: descriptors.count),
                command.isKilledWithThread, user?.id ?? 0, user?.group ?? 0,
                user.map { _ in UserAccount.videoGroup } ?? 0, &report)
        }
        guard pid > 0 else { throw SystemError("fork") }
        return (pid, FileHandle(owning: report))
    }

    /// Waits for `execve`, which blocks in a folder that hangs, until `deadline` or `arrival`; returns why it failed.
    private static func startFailure(
        _ report: FileHandle, _ command: Command, _ deadline: Deadline, _ arrival: FileHandle?
    ) -> Failure? {
        let allowed = deadline.left
        var waiting = [report.descriptor, arrival?.descriptor ?? -1].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        retrying { Glibc.poll(&waiting, 2, Int32(clamping: deadline.millisecondsLeft)) }
        // The caller notices the stop, too, and ends the child.
        if waiting[0].revents == 0, waiting[1].revents != 0 { return nil }
        guard waiting[0].revents != 0 else { return .hangs(command, after: allowed - deadline.left) }
        var refusal = shim_refusal()
        let size = MemoryLayout<shim_refusal>.size
        guard retrying({ read(report.descriptor, &refusal, size) }) == size else { return nil }
        let error = { SystemError($0, number: refusal.number) }
        switch Int(refusal.step) {
        case shim_step_find where error("access").isOfProgram:
            return .notInstalled(command, command.program.contains("/") ? error("access") : nil)
        case shim_step_find: return .notStarted(command, error("access"))
        case shim_step_is_file:
            var failure = Failure.notStarted(command, error("exec"))
            failure.why = "it isn't a file"
            return failure
        case shim_step_exec: return .notStarted(command, error("exec"))
        default: return .notStarted(command, error("fork"))
        }
    }

    /// Closes the parent's end of the child's `descriptor`.
    package func close(_ descriptor: Int32) { outputs[descriptor] = nil }

    /// Sends a signal to the whole process group, unless the child has ended.
    package func signal(_ number: Int32) {
        // A child that has only just been forked has no group of its own yet.
        if poll() == nil, kill(-pid, number) != 0 { kill(pid, number) }
    }

    /// Gives up waiting for a killed child that the kernel still blocks, e.g. in a folder on an unreachable server. It
    /// counts as ended by SIGKILL and is reaped later.
    /// - Returns: false if it has already ended.
    package func leaveBehind() -> Bool {
        guard poll() == nil else { return false }
        Self.leftBehind.withLock { $0.append(pid) }
        leftBehindFile?.write(pid)
        ending = .killed(SIGKILL)
        return true
    }

    /// Reaps the children that were left behind and have since ended.
    package static func reapLeftBehind() { leftBehind.withLock { $0.removeAll { waitpid($0, nil, WNOHANG) != 0 } } }

    /// How the child ended; nil while it runs. The rest of its process group is killed when it has ended.
    @discardableResult
    package func poll() -> Ending? {
        if let ending { return ending }
        var facts = siginfo_t()
        // WNOWAIT: the number of the group can't be reused until the child is reaped, so the kill below is safe.
        let waited = retrying { waitid(P_PID, id_t(pid), &facts, WEXITED | WNOWAIT | WNOHANG) }
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

    /// Sends SIGTERM, waits for at most `grace`, then sends SIGKILL. Returns when the child has ended; one that the
    /// kernel blocks is left behind.
    @discardableResult
    package func stop(grace: Duration) -> Ending {
        if grace > .zero {
            signal(SIGTERM)
            if let ending = wait(until: .after(grace)) { return ending }
        }
        signal(SIGKILL)
        if wait(until: .after(Self.killTimeout)) == nil { _ = leaveBehind() }
        return ending ?? .killed(SIGKILL)
    }
}
