import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotCapture
import SnapshotState

/// Checks the state directory, its files and the spool. It changes and locks nothing. An unnamed temporary file shows
/// whether the directory can be written.
struct StateCheck {
    let plan: CheckPlan
    let now: Now
    private var path: String { plan.statePath }

    func state() -> [Finding] {
        let free = freeBytes(nearestDirectory(path))
        let room = free.map { ", \(sizeText($0)) free" } ?? ""
        do throws(SystemError) {
            guard try DirectoryProbe(path) == .writable else {
                return [.passed("state", "\(path) isn't there yet; the first capture makes it\(room)")]
            }
            if fileExists(path + "/lock") { _ = try openFile(path + "/lock", O_RDONLY) }
        } catch {
            return [failure("state", .own(.state), path, error)]
        }
        let health = HealthReport(
            statePath: path, now: now, interval: plan.interval.seconds, version: snapshotVersion
        ).worst
        let passed = Finding.passed(
            "state", "\(path) can be written\(room); \(health.status.rawValue): \(health.summary)",
            facts: ["health": .string(health.status.rawValue)].merging(
                free.map { ["free_bytes": .integer($0)] } ?? [:]
            ) { $1 })
        return [passed] + foreignFiles()
    }

    /// A remark about files of the state that belong to another user than the directory.
    private func foreignFiles() -> [Finding] {
        guard let owner = owner(of: path) else { return [] }
        let names = ["state.jsonl", "lock", CameraMemory.fileName, Pins.fileName, "spool", "stored.log"]
        let others = names.filter { SnapshotCheck.owner(of: "\(path)/\($0)").map { $0.id != owner.id } ?? false }
        guard !others.isEmpty else { return [] }
        return [
            .remark(
                "state",
                "\(path) has files that don't belong to \(owner.name), who owns the folder: "
                    + others.joined(separator: ", "),
                hint: "sudo chown -R --reference=\(path) \(path)")
        ]
    }

    func spool() -> Finding {
        var spool = SpoolFolder(statePath: path)
        do throws(SystemError) { _ = try DirectoryProbe(spool.path) } catch {
            return failure("spool", .own(.spoolFull), spool.path, error)
        }
        let near = nearestDirectory(spool.path)
        if let free = freeBytes(near), free < plan.spoolMinFree {
            return .failed(
                "spool",
                Failure(
                    .own(.spoolFull), "cannot keep pictures in", spool.path,
                    why: "\(sizeText(free)) are free, less than SPOOL_MIN_FREE (\(sizeText(plan.spoolMinFree)))",
                    hint: "df -h \(near)"))
        }
        let names: [SpoolName]
        do throws(SystemError) { names = try spool.list() } catch {
            return .failed(
                "spool", Failure(.own(.spoolRead), "cannot read spool", spool.path, why: "\(error)", cause: error))
        }
        let bytes = names.reduce(0) { $0 + $1.bytes }
        let content = names.isEmpty ? "empty" : "\(names.count) waiting, \(sizeText(bytes))"
        return .passed(
            "spool", "\(content); holds up to \(sizeText(plan.spoolMaxBytes))",
            hint: names.isEmpty ? nil : "snapshot drain",
            facts: ["count": .integer(names.count), "bytes": .integer(bytes)])
    }

    private func failure(_ subject: String, _ code: Failure.Code, _ path: String, _ error: SystemError) -> Finding {
        .failed(
            subject,
            Failure(
                code, "cannot write in", path, why: "\(error)", hint: hint(for: error, directory: path), cause: error))
    }
}
