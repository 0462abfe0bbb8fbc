import CLinux
import Glibc

/// The only place where a command that was started as root, by a user, cron or a unit, switches to the user who owns
/// the state. Root working in another user's folder would trust the links and keys in it, and would leave files that
/// the folder's owner cannot write.
package enum Owner {
    /// The user of the packaged units; `serviceSettings` is the folder of their settings.
    package static let serviceName = "snapshot"
    package static let serviceSettings = "/etc/snapshot"

    /// Switches to the owner of `statePath` for the rest of this process, unless that is root. If the state is missing,
    /// it switches to the packaged units' user where the settings file is one of theirs, and elsewhere stays root.
    /// - Parameters:
    ///   - settingsPath: the path of the settings file in use.
    ///   - makesState: whether to create a missing state folder as root and give it to the user, as `/var/lib` is
    ///     root's.
    ///   - environment: gets the owner's home and name instead of root's.
    /// - Throws: `Failure` with the code `state-owner` if the owner cannot be determined or switched to.
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
            // The service's files get the same mode whoever starts the command; root's umask may differ.
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

    /// The account that owns the state; nil if it is root's.
    private static func account(_ statePath: String, _ settingsPath: String?) throws(Refusal) -> UserAccount? {
        let facts: stat
        do throws(SystemError) { facts = try Folder(statePath).handle.status() } catch  where error.number == ENOENT {
            guard isServices(settingsPath) else { return nil }
            guard let account = UserAccount(named: serviceName) else {
                throw Refusal(
                    why: "it isn't there yet, and there is no user \(serviceName)",
                    hint: "run systemd-sysusers, which makes that user; or make the folder and give it to another user")
            }
            return account
        } catch {
            // The path is not a folder, so no user can write there; the failure is reported where the state is used.
            if error.number == ENOTDIR { return nil }
            throw Refusal(why: "\(error)", hint: "ls -ld \(statePath)")
        }
        guard facts.st_uid != 0 else { return nil }
        guard let account = UserAccount(facts.st_uid) else {
            throw Refusal(
                why: "its owner is user id \(facts.st_uid), and there is no such user",
                hint: "give it to the user who is to run snapshot: chown -R USER: \(statePath)")
        }
        return account
    }

    /// Whether the settings file is that of a packaged unit.
    package static func isServices(_ settingsPath: String?) -> Bool {
        settingsPath.map { parentDirectory($0) == serviceSettings } ?? false
    }

    /// Creates the missing folders of the state's path and gives them to the user. Creates nothing if others than root
    /// can write to the existing parent folder.
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

    /// Gives up all root privileges irreversibly. The process is made non-dumpable, so that the user's other processes
    /// cannot read its memory, which may hold root's credentials, or its descriptors; children are not affected.
    private static func become(_ account: UserAccount) throws(Refusal) {
        guard initgroups(account.name, account.group) == 0,
            shim_setresgid(account.group) == 0, shim_setresuid(account.id) == 0
        else {
            throw Refusal(why: "the system doesn't let root become \(account.name): \(SystemError("setresuid"))")
        }
        guard shim_is_only(account.id, account.group), setuid(0) != 0, seteuid(0) != 0 else {
            // Never continue with some of root's privileges left.
            throw Refusal(why: "root became \(account.name), but could not give up all of its rights")
        }
        shim_not_dumpable()
        // Libraries read these variables from the process's own environment.
        for (name, value) in [("HOME", account.home), ("USER", account.name), ("LOGNAME", account.name)] {
            setenv(name, value, 1)
        }
        unsetenv("TMPDIR")
    }
}
