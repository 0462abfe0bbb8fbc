import CLinux
import Glibc

/// The one place where a command that root typed, or that cron or a unit started as root, becomes the user whose state
/// it works on. Root in a folder of somebody else's would obey links and keys that its owner put there, and would leave
/// files that the owner can't write.
package enum Owner {
    /// The user of the packaged units, and the folder of their settings.
    package static let serviceName = "snapshot"
    package static let serviceSettings = "/etc/snapshot"

    /// Becomes the owner of `statePath` for the rest of this process, unless that is root. Where it is missing, that is
    /// the service's user for the service's settings; others stay root.
    /// - Parameters:
    ///   - settingsPath: the settings file that is used.
    ///   - makesState: makes a missing state folder, as root, and gives it to the user: `/var/lib` is root's.
    /// - Throws: `Failure` of kind state where the owner can't be told or become.
    ///   - environment: told the owner's home and name instead of root's.
    package static func become(
        ofState statePath: String, settingsPath: String?, makesState: Bool, _ environment: inout Environment
    ) throws(Failure) {
        guard geteuid() == 0 else { return }
        do throws(Refusal) {
            guard let account = try account(statePath, settingsPath) else { return }
            if makesState { try give(statePath, to: account) }
            try become(account)
            (environment["HOME"], environment["TMPDIR"]) = (account.home, nil)
            (environment["USER"], environment["LOGNAME"]) = (account.name, account.name)
            // The service's files look the same, whoever caused them; root's mask may be tighter or wider.
            if account.name == serviceName { umask(0o027) }
        } catch {
            throw Failure(
                .own(.stateOwner), "cannot work as the owner of", statePath, why: error.why, hint: error.hint)
        }
    }

    private struct Refusal: Error {
        let why: String
        var hint: String?
    }

    /// Whose the state is; nil: root's.
    private static func account(_ statePath: String, _ settingsPath: String?) throws(Refusal) -> UserAccount? {
        let facts: stat
        do throws(SystemError) { facts = try Folder(statePath).handle.status() } catch  where error.number == ENOENT {
            guard isServices(settingsPath) else { return nil }
            guard let account = UserAccount(named: serviceName) else {
                throw Refusal(
                    why: "it isn't there yet, and there is no user \(serviceName)",
                    hint: "systemd-sysusers makes the user of the package; or make the folder for another user")
            }
            return account
        } catch {
            // Something else stands there: nothing can be written, as whoever, and that is told where it fails.
            if error.number == ENOTDIR { return nil }
            throw Refusal(why: "\(error)", hint: "ls -ld \(statePath)")
        }
        guard facts.st_uid != 0 else { return nil }
        guard let account = UserAccount(facts.st_uid) else {
            throw Refusal(
                why: "it belongs to number \(facts.st_uid), and no user has that number",
                hint: "give it to the user who is to run snapshot: chown -R USER: \(statePath)")
        }
        return account
    }

    /// Whether these are settings of the packaged units.
    package static func isServices(_ settingsPath: String?) -> Bool {
        settingsPath.map { parentDirectory($0) == serviceSettings } ?? false
    }

    /// Makes what is missing of the path to the state, for that user. Where somebody else than root decides about the
    /// folder above, nothing is made as root.
    private static func give(_ statePath: String, to account: UserAccount) throws(Refusal) {
        var missing: [String] = []
        var path = statePath
        while !fileExists(path), parentDirectory(path) != path {
            missing.append(path[...].cutAtLast("/").map { String($0.1) } ?? path)
            path = parentDirectory(path)
        }
        guard !missing.isEmpty else { return }
        do throws(SystemError) {
            var folder = try Folder(path)
            guard try folder.handle.isWritableByOwnersOnly() else { return }
            while let name = missing.popLast() {
                guard !name.isEmpty, name != ".", name != ".." else { continue }
                folder = try folder.folder(name, creating: 0o755)
                guard fchown(folder.descriptor, account.id, account.group) == 0 else { throw SystemError("chown") }
            }
        } catch {
            throw Refusal(
                why: "\(error)",
                hint: "sudo install -d -o \(account.name) -g \(account.name) -m 755 \(statePath)")
        }
    }

    /// All of root's rights are given up, with no way back. The kernel then keeps the user's other programs from reading
    /// this one's memory, where root's credentials are, and its descriptors; children inherit neither.
    private static func become(_ account: UserAccount) throws(Refusal) {
        guard initgroups(account.name, account.group) == 0,
            shim_setresgid(account.group) == 0, shim_setresuid(account.id) == 0
        else {
            throw Refusal(why: "the system doesn't let root become \(account.name): \(SystemError("setresuid"))")
        }
        guard shim_is_only(account.id, account.group), setuid(0) != 0, seteuid(0) != 0 else {
            // Nothing may go on with half of root's rights.
            throw Refusal(why: "root's rights could not be given up for those of \(account.name)")
        }
        shim_not_dumpable()
        // Libraries ask for these, too.
        for (name, value) in [("HOME", account.home), ("USER", account.name), ("LOGNAME", account.name)] {
            setenv(name, value, 1)
        }
        unsetenv("TMPDIR")
    }
}
