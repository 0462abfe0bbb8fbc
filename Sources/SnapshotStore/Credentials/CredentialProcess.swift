import SnapshotBase
import SnapshotHTTP
import SnapshotProcesses
import SnapshotState

/// Runs a profile's `credential_process` once. The program gets no secrets of ours, and its standard output
/// is never shown.
/// Source: AWS CLI User Guide, "Sourcing credentials with an external process".
struct CredentialProcess {
    let words: [String]
    let context: ProcessContext
    let leftBehindFile: String?

    private static let maxOutputBytes = 1 << 16
    private static let maxTime = Duration.seconds(60)
    private static let grace = Duration.seconds(1)

    func run(at now: Timestamp, _ deadline: Deadline) throws(StoreFailure) -> TemporaryCredentials {
        let result: ChildResult
        let end = deadline.sooner(Self.maxTime)
        let allowed = end.left
        do throws(Failure) {
            result = try Child.run(
                command, outputLimit: Self.maxOutputBytes, stderrLimit: ChildResult.stderrLimit, deadline: end,
                grace: Self.grace, stop: context.stop)
        } catch {
            throw error.isOfProgram
                ? failure(
                    error.why,
                    hint: "it must be executable by the service's user, and be in PATH or an absolute path")
                : unstarted(error)
        }
        registerSecrets(result.output)
        Secrets.ofThisRun.register(credentialStderr: result.stderrTail)
        let said = result.lastWords().map { "; it said: \($0)" } ?? ""
        if result.isTooLong { throw failure("it printed more than 64 KiB\(said)") }
        switch result.ending {
        case .exited(0): break
        case .exited(let status): throw failure("it ended with exit status \(status)\(said)")
        case .killed(let signal): throw failure("signal \(signal) killed it\(said)")
        case nil where result.isTimedOut:
            throw failure("it took longer than \(secondsText(allowed)) (UPLOAD_DEADLINE, at most 60 s)\(said)")
        case nil:
            // A stop isn't the process's failure and starts no hold-off, so it has another code.
            throw StoreFailure(
                Failure(
                    .store(.lost), "no credentials from credential_process", name,
                    why: "a stop was requested while it ran"), .giveUp)
        }
        guard let keys = keys(result.output, now) else {
            throw failure(
                "it printed no JSON with Version 1, AccessKeyId, SecretAccessKey and, where they end, an Expiration such as "
                    + "2026-01-31T12:00:00Z\(said)")
        }
        if keys.isPast(at: now, CaptureClock.timeService()) {
            throw failure(
                "its keys ended at \(keys.end?.iso8601 ?? ""), and it is \(now.iso8601); is the clock right?")
        }
        return keys
    }

    private var command: Command {
        var command = Command(words.first ?? "", Array(words.dropFirst()), environment: context.environment)
        // It runs as the present user, as it does in captures, so that `snapshot check` tries the same.
        command.keepsUser = true
        command.leftBehindFile = leftBehindFile
        return command
    }

    private func keys(_ output: [UInt8], _ now: Timestamp) -> TemporaryCredentials? {
        guard let json = JSON(output), json["Version"]?.integer == 1 else { return nil }
        func text(_ name: String) -> String? { json[name]?.string.flatMap { $0.isEmpty ? nil : $0 } }
        let keys = AWSKeys(
            accessKey: text("AccessKeyId") ?? "", secretKey: text("SecretAccessKey") ?? "",
            sessionToken: text("SessionToken"))
        guard keys.areSound else { return nil }
        let end = text("Expiration")
        let time = end.flatMap(Timestamp.init(expiration:))
        guard end == nil || time != nil else { return nil }
        return TemporaryCredentials(keys, end: time, obtained: now, holder: "the keys of credential_process \(name)")
    }

    private var name: String { words.first ?? "" }

    /// Output that isn't the expected JSON may still contain secrets, which its error message may repeat.
    private func registerSecrets(_ output: [UInt8]) {
        let pieces = output.prefix(Self.maxOutputBytes).split { $0 <= 0x20 || "\"',:{}".utf8.contains($0) }
        for piece in pieces.filter({ $0.count >= 16 }).prefix(8) {
            Secrets.ofThisRun.register(token: String(decoding: piece, as: UTF8.self))
        }
    }

    /// This machine's failure, which may pass: it counts like an unreachable store, and starts no hold-off.
    private func unstarted(_ error: Failure) -> StoreFailure {
        var failure = Failure(
            .notStarted("credential_process"), "cannot run credential_process", name, why: error.why,
            hint: error.hint, cause: error.cause)
        failure.kind = .store
        return StoreFailure(failure, .retry)
    }

    private func failure(_ why: String, hint: String? = nil) -> StoreFailure {
        StoreFailure(
            Failure(
                .store(.credentialProcess), "no credentials from credential_process", name, why: why,
                hint: hint ?? "snapshot check   # runs it at once"), .giveUp)
    }
}
