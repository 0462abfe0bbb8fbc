import Glibc
import SnapshotBase

/// Goes where systemd starts the service, which is where its state lies, and gives up root's rights for those of who owns
/// that: what root may do, and what lies here, says nothing of the service.
func takeServicesPlace(_ statePath: String) {
    chdir(statePath)
    guard geteuid() == 0, let owner = owner(of: statePath), owner.id != 0 else { return }
    var facts = stat()
    guard stat(statePath, &facts) == 0 else { return }
    guard initgroups(owner.name, facts.st_gid) == 0, setgid(facts.st_gid) == 0 else { return }
    setuid(owner.id)
}
