import Glibc
import SnapshotBase
import SnapshotProcesses
import TestKit
import Testing

@Suite struct ChildTests {
    private let environment = ProcessContext.current().environment

    private func shell(_ script: String) -> Command { Command("sh", ["-c", script], environment: environment) }
    private func run(_ script: String, limit: Int = 1 << 20, for time: Duration = .seconds(10)) throws
        -> ChildResult
    {
        try Child.run(shell(script), outputLimit: limit, deadline: .after(time))
    }

    /// Another process writes the file: if this one had it open, a child of another test could hold it open for a
    /// moment, and it couldn't be run.
    private func write(_ text: String, toProgram path: String) throws {
        var command = shell("cat >'\(path)' && chmod 700 '\(path)'")
        command.inputs = [0: Array(text.utf8)]
        #expect(try Child.run(command, outputLimit: 1, deadline: .after(.seconds(10))).ending == .exited(0))
    }

    @Test func outputComplaintAndStatus() throws {
        let result = try run("printf out; printf err >&2; exit 3")
        #expect(result.ending == .exited(3))
        #expect(result.output == Array("out".utf8))
        #expect(result.stderrTail == Array("err".utf8))
        #expect(!result.isTimedOut && !result.isTooLong)
    }

    @Test func theEndOfAComplaintIsKept() throws {
        let result = try Child.run(
            shell("head -c 100000 /dev/zero >&2; printf last >&2"), outputLimit: 1, stderrLimit: 8,
            deadline: .after(.seconds(10)))
        #expect(result.stderrTail == [0, 0, 0, 0] + Array("last".utf8))
    }

    @Test func deadlineKillsTheWholeGroup() throws {
        let watch = systemClock.stopwatch()
        let result = try run("sleep 60 & echo $!; sleep 60", for: .milliseconds(300))
        #expect(result.isTimedOut && result.ending == nil)
        #expect(watch.elapsed < .seconds(5))
        let grandchild = try #require(pid_t(String(decoding: result.output, as: UTF8.self).dropLast()))
        #expect(isGone(grandchild))
    }

    @Test func aGrandchildDoesNotOutliveItsGroupsLeader() throws {
        let result = try run("sleep 60 >/dev/null 2>&1 & echo $!")
        #expect(result.ending == .exited(0))
        let grandchild = try #require(pid_t(String(decoding: result.output, as: UTF8.self).dropLast()))
        #expect(isGone(grandchild))
    }

    @Test(arguments: ["sleep 60", "setsid sleep 60", "setsid sh -c 'trap \"\" TERM; sleep 60'"])
    func aRunEndsWithItsProgramWhoeverElseHoldsTheOutput(_ other: String) throws {
        let watch = systemClock.stopwatch()
        let result = try run("\(other) & printf out; printf err >&2; exit 4", for: .seconds(60))
        #expect(result.ending == .exited(4) && !result.isTimedOut)
        #expect(result.output == Array("out".utf8) && result.stderrTail == Array("err".utf8))
        #expect(watch.elapsed < .seconds(20))
    }

    @Test func allThatAnEndedProgramWroteIsRead() throws {
        let result = try run("head -c 1000000 /dev/zero", for: .seconds(60))
        #expect(result.ending == .exited(0) && result.output.count == 1_000_000)
    }

    @Test(arguments: [("exit 0", Duration.seconds(10)), (":", .milliseconds(300))])
    func theDeadlineAsksFirstWhereThereIsGrace(_ answer: String, grace: Duration) throws {
        let folder = try TemporaryFolder()
        let script = "trap 'echo asked >\(folder.path)/asked; \(answer)' TERM; while :; do sleep 0.05; done"
        let watch = systemClock.stopwatch()
        let result = try Child.run(
            shell(script), outputLimit: 1, deadline: .after(.milliseconds(500)), grace: grace)
        #expect(result.isTimedOut && watch.elapsed < .seconds(8))
        #expect(fileExists(folder.path + "/asked"))
    }

    @Test func tooMuchOutputEndsIt() throws {
        let result = try run("yes", limit: 1000)
        #expect(result.isTooLong && !result.isTimedOut)
    }

    @Test func missingProgram() {
        let failure = #expect(throws: Failure.self) {
            try Child.run(
                Command("no-such-program", [], environment: environment), outputLimit: 1, deadline: .after(.seconds(1)))
        }
        #expect(failure?.exitCode == 69)
        #expect(failure?.code == .missing("no-such-program"))
    }

    @Test func aFileThatCannotRunIsAFailedStart() {
        #expect(throws: Failure.self) { try Child(Command("/dev/null/x", [], environment: environment)) }
        #expect(throws: Failure.self) { try Child(Command("/etc", [], environment: environment)) }
    }

    /// An empty file with `x` is no program, and neither is one whose interpreter is missing.
    @Test(arguments: ["#!/no/such/interpreter\n", "", "\u{7F}ELF", nil])
    func aProgramThatCannotRunIsToldFromTroubleOfThisMachine(_ text: String?) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/program"
        if let text { try write(text, toProgram: path) }
        let failure = #expect(throws: Failure.self) { try Child(Command(path, [], environment: environment)) }
        #expect(failure?.isOfProgram == true, "\(failure?.description ?? "")")
    }

    /// A file that is being written can't be run just now; and too long an input doesn't fit into a pipe.
    @Test func troubleThatPassesIsNotTheProgramsOwn() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/program"
        try write("#!/bin/sh\n", toProgram: path)
        var command = Command(path, [], environment: environment)
        command.inputs = [0: [UInt8](repeating: 0, count: 5000)]
        let full = #expect(throws: Failure.self) { try Child(command) }
        #expect(full?.isOfProgram == false && full?.code == .notStarted(path), "\(full?.description ?? "")")
        #expect(try Child(Command(path, [], environment: environment)).wait(until: .after(.seconds(10))) == .exited(0))
        let writer = open(path, O_WRONLY | O_CLOEXEC)
        defer { close(writer) }
        let busy = #expect(throws: Failure.self) { try Child(Command(path, [], environment: environment)) }
        #expect(busy?.isOfProgram == false && busy?.why == "exec: Text file busy")
    }

    @Test func aStopIsNoFailedStart() throws {
        let arrival = try FileHandle(opening: "/dev/zero", O_RDONLY)
        let watch = systemClock.stopwatch()
        for _ in 0..<50 {
            let child = try Child(shell("sleep 60"), until: .after(.seconds(10)), or: arrival)
            #expect(child.stop(grace: .zero) == .killed(SIGKILL))
            #expect(isGone(child.pid))
        }
        // None had to be left behind, after two seconds.
        #expect(watch.elapsed < .seconds(20))
    }

    @Test func inputsComeOnTheirDescriptorsAndNoOtherIsOpen() throws {
        var command = shell("cat <&5; ls /proc/self/fd | wc -l; cat")
        command.inputs = [5: Array("secret\n".utf8)]
        let spare = open("/dev/null", O_RDONLY)  // not close-on-exec, on purpose
        defer { close(spare) }
        let result = try Child.run(command, outputLimit: 1000, deadline: .after(.seconds(10)))
        // 0 to 5, and the one with which ls reads the folder.
        #expect(String(decoding: result.output, as: UTF8.self) == "secret\n7\n")
    }

    @Test func credentialsStayOutOfTheEnvironment() throws {
        setenv("CANARY", "canary-value", 1)
        let result = try run("env")
        let text = String(decoding: result.output, as: UTF8.self)
        #expect(!text.contains("canary"))
        #expect(text.contains("TZ=UTC") && text.contains("PATH="))
    }

    @Test func stopAsksFirst() throws {
        let child = try Child(shell("trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"))
        var ready = [pollfd(fd: child.outputs[1]?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)]
        try #require(poll(&ready, 1, 5000) == 1)
        #expect(child.stop(grace: .seconds(5)) == .exited(9))
        #expect(child.stop(grace: .seconds(5)) == .exited(9))
    }

    @Test func stopInsists() throws {
        let child = try Child(shell("trap '' TERM; echo up; while :; do sleep 0.05; done"))
        var ready = [pollfd(fd: child.outputs[1]?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)]
        try #require(poll(&ready, 1, 5000) == 1)
        #expect(child.stop(grace: .milliseconds(200)) == .killed(SIGKILL))
    }

    @Test func droppingAChildEndsIt() throws {
        var child: Child? = try Child(Command("sleep", ["60"], environment: environment))
        let pid = try #require(child?.pid)
        child = nil
        #expect(kill(pid, 0) == -1 && errno == ESRCH)
    }

    private func isGone(_ pid: pid_t) -> Bool {
        // An orphan is reaped by whoever adopts it: a zombie is as good as gone.
        for _ in 0..<200 {
            if kill(pid, 0) == -1, errno == ESRCH { return true }
            if let stat = try? readFile("/proc/\(pid)/stat", limit: 512),
                String(decoding: stat, as: UTF8.self).contains(") Z")
            {
                return true
            }
            usleep(10_000)
        }
        return false
    }

    @Test func programsAreLookedForWhereTheEnvironmentSays() {
        func starts(_ program: String, _ environment: Environment) -> Bool {
            (try? Child(Command(program, ["-c", ":"], environment: environment))) != nil
        }
        #expect(starts("sh", ["PATH": "/nowhere:/etc/passwd:/bin"]))
        #expect(!starts("sh", ["PATH": "/nowhere"]))
        #expect(!starts("sh", ["PATH": ""]))
        #expect(starts("sh", [:]))
        #expect(starts("/bin/sh", ["PATH": "/nowhere"]))
        #expect(!starts("/bin/no-such", [:]))
    }

    @Test func aChildGetsNoCredential() throws {
        let environment: Environment = [
            "PATH": "/usr/bin:/bin", "HOME": "/h", "AWS_SECRET_ACCESS_KEY": "canary", "CAMERA_PASSWORD": "canary",
            "LD_PRELOAD": "/canary.so", "TZ": "Asia/Tokyo",
        ]
        let result = try Child.run(
            Command("env", [], environment: environment), outputLimit: 4096, deadline: .after(.seconds(10)))
        let lines = Set(String(decoding: result.output, as: UTF8.self).split(separator: "\n"))
        #expect(lines == ["PATH=/usr/bin:/bin", "HOME=/h", "TZ=UTC"])
    }
}
