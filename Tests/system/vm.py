"""A whole machine of its own, kernel and clock included, in QEMU: for what would otherwise be done to this machine's
clock. Its root is a file system in memory, put together from this machine's systemd and the package."""

import os
import pathlib
import re
import shutil
import subprocess

# Debian packages whose files make the root, beside the libraries that their programs link.
PACKAGES = ["systemd", "systemd-sysv", "libsystemd-shared", "libsystemd0", "util-linux", "mount", "coreutils", "dash",
            "passwd", "libc-bin", "base-files", "libpam-runtime", "libpam-modules", "login", "grep", "sed", "findutils"]


def kernel(folder: pathlib.Path) -> pathlib.Path:
    """A kernel image from Debian."""
    depends = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"], capture_output=True, text=True, check=True)
    name = re.search(r"Depends: (linux-image-\S+)", depends.stdout)[1]
    subprocess.run(["apt-get", "-qq", "download", name], cwd=folder, check=True, capture_output=True)
    (package,) = folder.glob("linux-image-*.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder / "kernel"], check=True)
    (image,) = (folder / "kernel/boot").glob("vmlinuz-*")
    return image


def root(folder: pathlib.Path, package: pathlib.Path, files: dict[str, str | bytes]) -> pathlib.Path:
    """A root file system as a cpio archive: this machine's systemd, the package, and `files`."""
    tree = folder / "root"
    tree.mkdir()
    for name in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "proc", "sys", "dev", "run", "tmp", "root", "var", "etc"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / name).symlink_to("usr/" + name)
    subprocess.run(["dpkg-deb", "-x", package, tree], check=True)
    listed = subprocess.run(["dpkg", "-L", *PACKAGES], capture_output=True, text=True, check=True).stdout.split("\n")
    wanted = {line for line in listed if line.startswith("/") and not line.startswith(("/usr/share", "/lib/udev"))}
    programs = [one for one in wanted if os.access(one, os.X_OK) and os.path.isfile(one)]
    programs += [str(one) for one in (tree / "usr/bin").iterdir()]
    # libcurl is loaded when it is needed, so that no program names it.
    cached = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    programs += re.findall(r"libcurl\.so\.4 .*=> (\S+)", cached)
    wanted |= set(programs[-1:])
    linked = subprocess.run(["ldd", *programs], capture_output=True, text=True).stdout
    wanted |= set(re.findall(r"(/\S+) \(0x", linked))
    for one in sorted(wanted):
        target = tree / os.path.realpath(os.path.dirname(one)).lstrip("/") / os.path.basename(one)
        if os.path.islink(one) and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.readlink(one))
        if os.path.isfile(one):
            real = tree / os.path.realpath(one).lstrip("/")
            real.parent.mkdir(parents=True, exist_ok=True)
            if not real.exists():
                shutil.copy(one, real)
    for path, content in {"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/group": "root:x:0:\n",
                          "etc/machine-id": "0123456789abcdef0123456789abcdef\n", **files}.items():
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        file.chmod(0o644)
    (tree / "init").symlink_to("usr/lib/systemd/systemd")
    archive = folder / "root.cpio"
    with open(archive, "wb") as out:
        names = subprocess.Popen(["find", "."], cwd=tree, stdout=subprocess.PIPE)
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree, stdin=names.stdout, stdout=out, check=True)
    return archive


def run(image: pathlib.Path, archive: pathlib.Path, service: str, timeout: float) -> str:
    """Boots, starts `service`, waits until it powers off, and returns what it wrote to its console."""
    done = subprocess.run(
        ["qemu-system-x86_64", "-M", "pc,accel=tcg", "-cpu", "max", "-m", "1G", "-nodefaults", "-nographic", "-no-reboot",
         "-serial", "stdio", "-kernel", image, "-initrd", archive,
         "-append", "console=ttyS0 quiet panic=-1 systemd.unit=basic.target "
         f"systemd.firstboot=off systemd.wants={service}"],
        capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout)
    return done.stdout.decode(errors="replace")
