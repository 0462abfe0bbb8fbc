import CLinux
import Glibc
import Synchronization

/// A program to start: what it is called, its arguments, its pipes. It inherits nothing else: no descriptor, and of
/// the environment only what says where things are, since the rest holds credentials.
package struct Command: Sendable {
    /// A path, or a name to look for in PATH.
    package var program: String
    package var arguments: [String]
    /// Debian's package that has it, for a hint.
    package var package: String?
    /// What the child can read from descriptors 0 and up; at most 4,096 bytes each, so that a pipe holds them.
    package var inputs: [Int32: [UInt8]] = [:]
    /// What the child gets open, by its descriptors.
    package var handles: [Int32: FileHandle] = [:]
    /// Which of the child's descriptors can be read here; standard output and error go to `/dev/null` unless named.
    package var outputs: Set<Int32> = [1, 2]
    /// Whether the kernel kills the child when the thread that starts it ends, and thereby when this process does.
    package var endsWithThread = true
    /// Whether the child runs as this process does, whatever `Child.user` says.
    package var keepsUser = false

    private let environment: Environment

    /// - Parameter environment: of this process.
    package init(
        _ program: String, _ arguments: [String], package: String? = nil, environment: Environment
    ) {
        self.program = program
        self.arguments = arguments
        self.package = package
        self.environment = environment
    }

    /// The path of the program, or nil where it isn't installed.
    package var path: String? {
        if program.contains("/") { return access(program, X_OK) == 0 ? program : nil }
        let folders = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    private static let kept = ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH"]

    /// What the child gets. Times that it prints are UTC.
    fileprivate var childEnvironment: [String] {
        Self.kept.compactMap { name in environment[name].map { "\(name)=\($0)" } } + ["TZ=UTC"]
    }
}

/// A running program and its process group, owned: it is never left behind, as an orphan or as a zombie.
package final class Child {
    /// Whom children run as; nil: as this process.
    package static let user = Mutex<UserAccount?>(nil)

    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case killed(Int32)
    }

    /// Those that were left behind and haven't ended yet.
    private static let left = Mutex<[pid_t]>([])

    package let pid: pid_t
    /// Our ends of `Command.outputs`, non-blocking, until `close` is called for one.
    package private(set) var outputs: [Int32: FileHandle]
    /// Becomes readable when the child has ended; nil on kernels before 5.3.
    package let endDescriptor: Int32?
    package private(set) var ending: Ending?
    private let endHandle: FileHandle?

    /// - Throws: `Failure` of kind camera, code `no-<program>` where it isn't installed.
    package init(_ command: Command) throws(Failure) {
        guard let path = command.path else { throw .notInstalled(command) }
        do throws(SystemError) {
            let pipes = try Pipes(command)
            pid = try Self.spawn(path, command, pipes)
            outputs = pipes.ours
        } catch {
            throw Failure(
                .notStarted(command.program), "cannot start", path, why: "\(error.call): \(error)", cause: error)
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
        // The numbers are good for as long as the pipes are open.
        let pid = withExtendedLifetime(pipes) {
            shim_spawn(
                path, &arguments, &environment, descriptors, Int32(clamping: descriptors.count), command.endsWithThread,
                user?.id ?? 0, user?.group ?? 0, user.map { _ in UserAccount.videoGroup } ?? 0)
        }
        guard pid > 0 else { throw SystemError("exec") }
        return pid
    }

    /// No more is wanted from the child's `descriptor`.
    package func close(_ descriptor: Int32) { outputs[descriptor] = nil }

    /// Sends a signal to the whole group, unless the child has ended.
    package func signal(_ number: Int32) {
        if poll() == nil { kill(-pid, number) }
    }

    /// Leaves behind one that was killed but that the kernel holds, as in a folder whose server is gone: it counts as ended.
    /// - Returns: false where it has ended.
    package func leave() -> Bool {
        guard poll() == nil else { return false }
        Self.left.withLock { $0.append(pid) }
        ending = .killed(SIGKILL)
        return true
    }

    /// Reaps those that were left behind, as far as they have ended.
    package static func reapLeft() { left.withLock { $0.removeAll { waitpid($0, nil, WNOHANG) != 0 } } }

    /// How the child ended, or nil while it runs. What is left of its group then is killed.
    @discardableResult
    package func poll() -> Ending? { reap(WNOHANG) }

    private func reap(_ options: Int32) -> Ending? {
        if let ending { return ending }
        var facts = siginfo_t()
        // First without reaping: while the pid is taken, the group's number can't be another's.
        let waited = retrying { waitid(P_PID, id_t(pid), &facts, WEXITED | WNOWAIT | options) }
        guard waited == 0, facts.si_signo == SIGCHLD else { return nil }
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        retrying { waitpid(pid, &status, 0) }
        ending = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(status & 0x7F)
        return ending
    }

    /// Waits until the child has ended or `deadline` has passed.
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

    /// SIGTERM, `grace`, SIGKILL; returns when the child is gone.
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
    package static func notInstalled(_ command: Command) -> Failure {
        Failure(
            .missing(command.program), "cannot run", command.program, why: "it is not installed",
            hint: command.package.map { "install \($0), e.g. apt install \($0)" })
    }
}

/// Both ends of a command's pipes.
private struct Pipes {
    var ours: [Int32: FileHandle] = [:]
    /// By the child's descriptor.
    var theirs: [FileHandle] = []

    init(_ command: Command) throws(SystemError) {
        let numbers = [2] + Array(command.inputs.keys) + Array(command.handles.keys) + Array(command.outputs)
        let count = (numbers.max() ?? 2) + 1
        for number in 0..<count {
            let end: FileHandle
            if let bytes = command.inputs[number] {
                let (reader, writer) = try makePipe()
                // Written before there is a reader that could go away: nothing blocks and nothing signals.
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
            // Out of the way of the child's numbers.
            let moved = fcntl(end.descriptor, F_DUPFD_CLOEXEC, count)
            guard moved >= 0 else { throw SystemError("fcntl") }
            theirs.append(FileHandle(owning: moved))
        }
    }

}

/// A pipe, close-on-exec.
package func makePipe() throws(SystemError) -> (reader: FileHandle, writer: FileHandle) {
    var ends: [Int32] = [-1, -1]
    guard shim_pipe(&ends) == 0 else { throw SystemError("pipe") }
    return (FileHandle(owning: ends[0]), FileHandle(owning: ends[1]))
}
