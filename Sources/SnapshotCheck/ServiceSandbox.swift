import Glibc
import SnapshotBase
import SnapshotProcesses
import SnapshotSettings

/// Runs `snapshot check` in the sandbox of the capturing service, since nothing else shows what that sandbox forbids. A
/// copy of the unit, with drop-ins and credentials, runs the check instead of a capture.
package struct ServiceSandbox {
    private let service: String
    private let program: String
    /// The unit's files, from `systemctl cat`.
    private let text: String
    private let systemd: Systemd
    /// The name of the unit's copy. It and the pipe are below `/run`, so a reboot removes them at the latest.
    private let name: String
    private var file: String { "/run/systemd/system/\(name)" }
    private var pipe: String { "/run/\(name).findings" }

    /// - Parameter settingsPath: the settings file; its name says which service reads it.
    /// - Returns: nil unless this is root and systemd has that service with this very program.
    package init?(settingsPath: String?, environment: Environment) {
        guard geteuid() == 0, fileExists("/run/systemd/system") else { return nil }
        let instance = InstanceName.of(settingsPath: settingsPath).map { "@\($0)" } ?? ""
        service = "snapshot\(instance).service"
        name = "snapshot-check-\(getpid())\(instance).service"
        systemd = Systemd(environment)
        let deadline = Deadline.after(.seconds(5))
        guard
            let start = systemd.properties(of: service, ["ExecStart"], until: deadline)?["ExecStart"],
            let path = start.split(separator: " ").first(where: { $0.hasPrefix("path=") })?.dropFirst(5),
            isSameFile(String(path), "/proc/self/exe"),
            let text = systemd.output(["cat", service], until: deadline)
        else { return nil }
        program = String(path)
        self.text = text
    }

    /// Runs the check in the sandbox and reports its findings.
    /// - Parameter arguments: the program's arguments; it has to print a `Finding.line` for each finding.
    /// - Returns: nil once the check has run; otherwise why the service couldn't be started.
    package func run(_ arguments: [String], report: (Finding) -> Void) -> Finding? {
        let signals = BlockedSignals()
        signals.block()
        defer { signals.release() }
        defer { remove() }
        do throws(Failure) {
            let output = try prepare(arguments)
            var lines = FindingLines()
            let start = try Child(Command("systemctl", ["start", name], environment: systemd.environment))
            let deadline = Deadline.after(Check.limit + .seconds(15))
            let arrival = signals.arrival()
            while start.poll() == nil, !deadline.hasPassed {
                var ends = [output.descriptor, arrival?.descriptor ?? -1, start.endDescriptor ?? -1]
                    .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                poll(&ends, nfds_t(ends.count), 200)
                lines.read(from: output).forEach(report)
                if ends[1].revents != 0 { return nil }
            }
            lines.read(from: output).forEach(report)
            return lines.count > 0 ? nil : startFailure()
        } catch {
            return .remark("units", "\(service) can't be tried in its sandbox: \(error)")
        }
    }

    /// Writes the copy of the unit and creates the pipe for its findings.
    private func prepare(_ arguments: [String]) throws(Failure) -> FileHandle {
        do throws(SystemError) {
            guard mkfifo(pipe, 0o600) == 0 else { throw SystemError("mkfifo") }
            let reader = try FileHandle(opening: pipe, O_RDONLY)
            // The copy must not trigger other units when it ends. These lines are left out, since an empty assignment
            // doesn't clear them.
            let kept = text.split(separator: "\n").filter { line in
                !["OnFailure=", "OnSuccess="].contains { line.hasPrefix($0) }
            }
            let command = ([program] + arguments).map(quoted).joined(separator: " ")
            let own = """
                [Service]
                Type=oneshot
                ExecStart=
                ExecStart=\(command)
                ExecStartPost=
                ExecStop=
                ExecStopPost=
                TimeoutStartSec=\(Int((Check.limit + .seconds(10)).seconds))s
                StandardOutput=file:\(pipe)

                """
            let unit = kept.joined(separator: "\n") + "\n" + own
            try writeDurably([Array(unit.utf8)], to: file, temporary: file + ".new", mode: 0o600)
            systemd.output(["daemon-reload"], until: .after(.seconds(30)))
            return reader
        } catch {
            throw .settings("cannot write", file, why: "\(error)")
        }
    }

    private func remove() {
        systemd.output(["stop", name], until: .after(.seconds(10)))
        systemd.output(["reset-failed", name], until: .after(.seconds(5)))
        unlink(file)
        unlink(pipe)
        systemd.output(["daemon-reload"], until: .after(.seconds(30)))
    }

    /// Why the service ended before the check began.
    private func startFailure() -> Finding {
        let facts = systemd.properties(of: name, ["Result", "ExecMainStatus"], until: .after(.seconds(5))) ?? [:]
        let status = facts["ExecMainStatus"] ?? ""
        // systemd.exec(5), "Process exit codes".
        let reason: (text: String, hint: String) =
            switch status {
            case "226":
                (
                    "a path that its sandbox names isn't there (226/NAMESPACE)",
                    "systemctl cat \(service)   # with a minus the service starts even if the path is missing: ReadWritePaths=-/mnt"
                )
            case "217": ("its user isn't there (217/USER)", "sudo systemd-sysusers")
            case "243":
                (
                    "a credential can't be read (243/CREDENTIALS)",
                    "sudo ls -l /etc/snapshot/credentials   # each must be a file"
                )
            case "203": ("its program can't be started (203/EXEC)", "ls -l \(program)")
            default:
                (
                    "systemd could not start it (\(facts["Result"] ?? "unknown"), status \(status.isEmpty ? "?" : status))",
                    "journalctl -b -u \(service)"
                )
            }
        return .failed("units", .settings("cannot start", service, why: reason.text, hint: reason.hint))
    }
}

/// Whether two paths lead to the same file.
private func isSameFile(_ one: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
        && first.st_ino == second.st_ino
}

/// A quoted word of a unit's command line.
private func quoted(_ word: String) -> String {
    let escapes: [Character: String] = ["\\": "\\\\", "\"": "\\\"", "%": "%%", "$": "$$", "\n": "\\n"]
    return "\"" + word.map { escapes[$0] ?? String($0) }.joined() + "\""
}

/// Parses findings that come line by line through a pipe.
private struct FindingLines {
    private(set) var count = 0
    private var rest: [UInt8] = []

    mutating func read(from pipe: FileHandle) -> [Finding] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let length = retrying { Glibc.read(pipe.descriptor, &buffer, buffer.count) }
            guard length > 0, rest.count < 1 << 20 else { break }
            rest += buffer[..<length]
        }
        var found: [Finding] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if let finding = JSON(rest[..<end]).flatMap(Finding.init(json:)) { found.append(finding) }
            rest.removeSubrange(...end)
        }
        count += found.count
        return found
    }
}
