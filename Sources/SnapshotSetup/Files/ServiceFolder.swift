import Glibc
import SnapshotBase

/// A folder for pictures that root creates and gives to the service's user.
struct ServiceFolder {
    let path: String

    init(_ path: String) { self.path = path }

    /// Whether it is missing, or belongs to root and is empty. A folder that others use stays theirs.
    var canBeMade: Bool {
        guard isPlain else { return false }
        guard let facts = fileStatus(path) else { return (try? Folder(nearest)) != nil }
        guard facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == 0, let names = try? listDirectory(path) else {
            return false
        }
        return names.allSatisfy { $0 == "lost+found" }
    }

    /// The innermost folder above it that exists.
    var nearest: String {
        var parent = parentDirectory(path)
        while fileStatus(parent) == nil, parent != "/" { parent = parentDirectory(parent) }
        return parent
    }

    /// Whether the path names a folder below the root by its own name: through `..` any folder could be meant.
    private var isPlain: Bool {
        let names = path.split(separator: "/")
        return path.hasPrefix("/") && !names.isEmpty && !names.contains { $0 == "." || $0 == ".." }
    }

    /// Creates the folder and gives it to the service's user. The folder is checked once more after it was opened: it
    /// must be root's, and empty.
    /// - Returns: what was made, so that it can be undone; nil where the path isn't plain or there is no such user.
    func make() throws(Failure) -> Made? {
        guard isPlain, let account = UserAccount(named: Owner.serviceName) else { return nil }
        let made = Made(path: path, missing: MissingFolders(path))
        do throws(SystemError) {
            let folder = try Folder(path, creating: 0o755)
            let isRoots = try folder.handle.status().st_uid == 0
            let isEmpty = try folder.names().allSatisfy { $0 == "lost+found" }
            guard isRoots, isEmpty else { throw SystemError("chown", number: ENOTEMPTY) }
            guard fchown(folder.descriptor, account.id, account.group) == 0 else { throw SystemError("chown") }
            return made
        } catch {
            made.missing.remove()
            throw Failure(
                .own(.state), "cannot make", path, why: "\(error)",
                hint: "make it yourself, so that user \(account.name) can write there")
        }
    }

    /// A folder that was created, or that was root's and has been given away.
    struct Made {
        let path: String
        fileprivate let missing: MissingFolders

        /// Gives the folder back to root, and removes those that were created.
        func undo() {
            if let folder = try? Folder(path) { fchown(folder.descriptor, 0, 0) }
            missing.remove()
        }
    }
}
