import Glibc
import SnapshotBase
import SnapshotState

/// What `Spool` does to the files. An entry is written under `tmp`, synced, renamed into its folder, and the folder
/// synced, so that what stands in a folder is whole.
extension SpoolFolder {
    /// Stands there from the first change of a run until its record is written.
    static let mark = "dirty"
    private static let incoming = "tmp"
    private static let bad = "bad"
    /// How many of the entries put aside are kept; a few are enough to look at.
    private static let mostBad = 8

    /// nil where that can't be seen.
    mutating func hasMark() -> Bool? {
        do throws(SystemError) {
            guard let folder = try opened() else { return false }
            if folder.status(Self.mark) != nil { return true }
            return errno == ENOENT ? false : nil
        } catch { return nil }
    }

    mutating func makeMark() throws(SystemError) { _ = try made().open(Self.mark, O_WRONLY | O_CREAT) }

    mutating func removeMark() { _ = try? opened()?.remove(Self.mark) }

    /// Removes what a killed run left half-written.
    mutating func sweep() {
        guard let folder = try? opened()?.folder(Self.incoming) else { return }
        for name in (try? folder.names()) ?? [] { folder.remove(name) }
    }

    mutating func holds(_ name: SpoolName) -> Bool { (try? entryFolder(name.folder))?.status(name.text) != nil }

    mutating func write(_ pieces: [[UInt8]], as name: SpoolName) throws(SystemError) {
        let incoming = try made().folder(Self.incoming, creating: 0o700)
        let folder = try madeEntryFolder(name.folder)
        try folder.put(name.text, by: name.text, in: incoming, mode: 0o600) { file throws(SystemError) in
            for piece in pieces { try file.write(piece) }
        }
    }

    /// - Returns: false where the disk won't let it go.
    mutating func remove(_ name: SpoolName) -> Bool {
        do throws(SystemError) {
            guard let folder = try entryFolder(name.folder) else { return true }
            return folder.remove(name.text) || errno == ENOENT
        } catch { return false }
    }

    /// Moves an entry out of the way, or removes it where that can't be done.
    mutating func putAside(_ name: SpoolName) {
        guard let folder = try? entryFolder(name.folder) else { return }
        guard let bad = try? made().folder(Self.bad, creating: 0o700) else {
            folder.remove(name.text)
            return
        }
        if (try? folder.rename(name.text, to: name.text, in: bad)) == nil { folder.remove(name.text) }
        for other in ((try? bad.names()) ?? []).sorted().dropLast(Self.mostBad) { bad.remove(other) }
    }

    /// Makes removals from folders of entries durable.
    mutating func sync(_ folders: [String]) {
        for name in folders { try? entryFolder(name)?.sync() }
        try? opened()?.sync()
    }

    /// When the oldest picture was taken; nil where that can't be told.
    mutating func oldestMoment(boot: String) -> Moment? {
        guard let name = try? oldest().first, let entry = try? open(name)?.entry else { return nil }
        return Moment(
            at: Timestamp(milliseconds: entry.capturedAt).iso8601, up: entry.boot == boot ? entry.up : nil)
    }
}
