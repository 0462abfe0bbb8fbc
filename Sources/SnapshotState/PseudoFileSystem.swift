import CLinux
import Glibc

/// Whether a path lies on a file system that the kernel makes up, where no files can be kept, or on that of `/dev`.
package func isOnPseudoFileSystem(_ path: String) -> Bool {
    var (facts, root, devices) = (stat(), stat(), stat())
    let isKnown = stat(path, &facts) == 0 && stat("/", &root) == 0 && stat("/dev", &devices) == 0
    return shim_is_pseudo(path) || isKnown && facts.st_dev == devices.st_dev && facts.st_dev != root.st_dev
}
