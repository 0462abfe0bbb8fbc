import Glibc
import SnapshotBase
import SnapshotState

/// The operations of `Spool` on its files. An entry is written below `tmp`, synced, renamed into its folder, and the
/// folder is synced, so that every entry in a folder is complete.
extension SpoolFolder {
    /// The marker file: exists from a run's first change of the spool until its record is written.
    static let marker = "dirty"
    private static let incoming = "tmp"
    private static let bad = "bad"
    /// How many damaged entries are kept; a few are enough to examine.
    private static let mostBad = 8

    /// nil where that can't be determined.
    mutating func hasMarker() -> Bool? {
        do throws(SystemError) {
            guard let folder = try opened() else { return false }
            if folder.status(Self.marker) != nil { return true }
            return errno == ENOENT ? false : nil
        } catch { return nil }
    }

    mutating func makeMarker() throws(SystemError) { _ = try made().open(Self.marker, O_WRONLY | O_CREAT) }

    mutating func removeMarker() { _ = try? opened()?.remove(Self.marker) }

    /// Removes files that a killed run left incomplete.
    mutating func sweep() {
        guard let folder = try? opened()?.folder(Self.incoming) else { return }
        for name in (try? folder.names()) ?? [] { folder.remove(name) }
    }

    mutating func contains(_ name: SpoolName) -> Bool { (try? entryFolder(name.folder))?.status(name.text) != nil }

    /// Writes an entry durably.
    mutating func write(_ pieces: [[UInt8]], as name: SpoolName) throws(SystemError) {
        let incoming = try made().folder(Self.incoming, creating: 0o700)
        let folder = try madeEntryFolder(name.folder)
        try folder.replace(name.text, temporary: name.text, in: incoming, mode: 0o600) { file throws(SystemError) in
            for piece in pieces { try file.write(piece) }
        }
    }

    /// - Returns: false where the entry can't be removed; true also where it doesn't exist.
    mutating func remove(_ name: SpoolName) -> Bool {
        do throws(SystemError) {
            guard let folder = try entryFolder(name.folder) else { return true }
            return folder.remove(name.text) || errno == ENOENT
        } catch { return false }
    }

    /// Moves an entry into `bad`, or removes it if it can't be moved. Only the newest few stay there.
    mutating func quarantine(_ name: SpoolName) {
        guard let folder = try? entryFolder(name.folder) else { return }
        guard let bad = try? made().folder(Self.bad, creating: 0o700) else {
            folder.remove(name.text)
            return
        }
        if (try? folder.rename(name.text, to: name.text, in: bad)) == nil { folder.remove(name.text) }
        for other in ((try? bad.names()) ?? []).sorted().dropLast(Self.mostBad) { bad.remove(other) }
    }

    /// Syncs the folders that entries were removed from, so that the removals survive a power cut.
    mutating func sync(_ folders: [String]) {
        for name in folders { try? entryFolder(name)?.sync() }
        try? opened()?.sync()
    }

    /// When the oldest picture was captured; nil where that can't be read.
    mutating func oldestMoment(boot: String) -> Moment? {
        guard let name = try? oldest().first, let entry = try? open(name)?.entry else { return nil }
        return Moment(
            at: Timestamp(milliseconds: entry.capturedAt).iso8601, up: entry.boot == boot ? entry.up : nil)
    }
}
