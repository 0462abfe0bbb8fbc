"""What the emulated board is made of: Debian's arm64 system, its kernel, and a disk. Made once, kept in a cache."""

import contextlib
import fcntl
import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
# A mirror may be frozen for longer than an index is valid.
FROZEN = 'Acquire::Check-Valid-Until "false"'
PACKAGES = ["systemd-sysv", "dbus", "libcurl4", "ca-certificates", "openssl", "passwd", "busybox-static", "ffmpeg"]
# What the kernel needs before it sees the disk and the network, in this order; a kernel that has one built in has no file of it.
MODULES = ["crc16", "crc32c_generic", "libcrc32c", "mbcache", "jbd2", "ext4", "virtio", "virtio_ring", "virtio_pci_legacy_dev",
           "virtio_pci_modern_dev", "virtio_pci", "virtio_blk", "failover", "net_failover", "virtio_net"]
QUIET = ["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
         "serial-getty@ttyAMA0.service", "systemd-timesyncd.service"]

# Debian releases by name: the kernel's package there, the processor that it is for.
KERNELS = {
    "bookworm": (r"linux-image-[0-9].*-cloud-arm64", "cortex-a53"),
    # 16 KiB pages, as on a Raspberry Pi 5.
    "trixie": (r"linux-image-[0-9].*-arm64-16k", "cortex-a76"),
}

INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
for module in /m/*.ko; do $b insmod $module; done
until [ -b /dev/vda ]; do $b sleep 0.2; done
$b ip link set lo up
$b ip addr add 10.0.2.15/24 dev eth0
$b ip link set eth0 up
$b ip route add default via 10.0.2.2
$b mount -t ext4 /dev/vda /root
$b umount /proc
exec $b switch_root /root /lib/systemd/systemd
"""

# Runs what comes over the serial line, one command a line in base64, and sends back its output likewise.
SHELL = """#!/bin/sh
stty raw -echo
echo "<ready>"
while read -r line; do
    echo "$line" | base64 -d >/run/command
    sh /run/command </dev/null >/run/answer 2>&1
    status=$?
    echo "<$(base64 -w 0 /run/answer) $status>"
done
"""

UNIT = """[Unit]
After=multi-user.target dbus.socket
[Service]
ExecStart=/bin/sh /usr/local/bin/serial-shell
StandardInput=tty
StandardOutput=tty
TTYPath=/dev/ttyAMA0
Restart=always
"""


def mirror() -> str:
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"],
                          capture_output=True, text=True, check=True).stdout.split()
    return next(address for address in told if "security" not in address)


@contextlib.contextmanager
def locked(cache: pathlib.Path):
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def emulation():
    """Makes the kernel run arm64 programs by QEMU, as systemd does where it is PID 1."""
    folder = pathlib.Path("/proc/sys/fs/binfmt_misc")
    if not (folder / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", folder], check=True)
    if not (folder / "qemu-aarch64").exists():
        (folder / "register").write_bytes(pathlib.Path("/usr/lib/binfmt.d/qemu-aarch64.conf").read_bytes())


def system(cache: pathlib.Path, suite: str) -> pathlib.Path:
    """The system as an archive."""
    archive = cache / f"{suite}.tar"
    if not archive.exists():
        print(f"Debian {suite} for arm64: 4 to 15 minutes, once", flush=True)
        emulation()
        part = cache / f"{suite}.new.tar"
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", "--architectures=arm64", "--mode=root", f"--aptopt={FROZEN}",
             "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
             "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io", f"--include={','.join(PACKAGES)}",
             suite, part, f"deb [signed-by={KEYS}] {mirror()} {suite} main"], check=True)
        part.rename(archive)
    return archive


def kernel(cache: pathlib.Path, suite: str) -> pathlib.Path:
    """The kernel's package, unpacked: to install it would take minutes."""
    folder = cache / f"{suite}-kernel"
    if not folder.exists():
        at = cache / f"apt-{suite}"
        shutil.rmtree(at, ignore_errors=True)
        for part in ("lists/partial", "archives/partial"):
            (at / part).mkdir(parents=True)
        (at / "status").touch()
        (at / "sources").write_text(f"deb [signed-by={KEYS}] {mirror()} {suite} main\n")
        (at / "conf").write_text(
            f'Dir::State "{at}"; Dir::State::Lists "{at}/lists"; Dir::State::status "{at}/status"; Dir::Cache "{at}";\n'
            f'Dir::Etc::sourcelist "{at}/sources"; Dir::Etc::sourceparts "/dev/null"; {FROZEN}; APT::Sandbox::User "root";\n'
            'APT::Architecture "arm64"; APT::Architectures { "arm64"; };\n')
        environment = {"APT_CONFIG": str(at / "conf"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

        def apt(*words):
            return subprocess.run(words, cwd=at, env=environment, check=True, capture_output=True, text=True).stdout
        apt("apt-get", "-qq", "update")
        found = apt("apt-cache", "search", "--names-only", f"^{KERNELS[suite][0]}$").split("\n")
        names = [line.split()[0] for line in found if line]
        name = max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
        apt("apt-get", "-qq", "download", name)
        (package,) = at.glob("linux-image-*.deb")
        subprocess.run(["dpkg-deb", "-x", package, cache / f"{suite}-kernel.new"], check=True)
        shutil.rmtree(at)
        (cache / f"{suite}-kernel.new").rename(folder)
    return folder


def initrd(kernel: pathlib.Path, busybox: bytes, archive: pathlib.Path):
    """A first root of busybox's, which finds the disk and sets up the network."""
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for folder in ("bin", "dev", "proc", "root", "m"):
            (root / folder).mkdir()
        (root / "bin/busybox").write_bytes(busybox)
        (root / "init").write_text(INIT)
        for program in (root / "bin/busybox", root / "init"):
            program.chmod(0o755)
        for number, module in enumerate(MODULES, 10):
            for file in kernel.rglob(f"{module}.ko*"):
                text = file.read_bytes()
                if file.suffix == ".xz":
                    text = subprocess.run(["xz", "-dc"], input=text, capture_output=True, check=True).stdout
                (root / f"m/{number}-{module}.ko").write_bytes(text)
        script = "find . | cpio --quiet -o -H newc -R 0:0 | gzip -1"
        with open(archive, "wb") as out:
            subprocess.run(["sh", "-c", script], cwd=root, stdout=out, check=True)


def furnish(root: pathlib.Path):
    """A board's own name, and a shell on its serial line."""
    (root / "etc/hostname").write_text("board\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost board\n")
    (root / "etc/machine-id").write_text("uninitialized\n")
    # This file makes dpkg leave out documentation, and the package's examples are documentation.
    (root / "etc/dpkg/dpkg.cfg.d/99mmdebstrap").unlink(missing_ok=True)
    # What systemd-timesyncd leaves while it hasn't reached a server yet; the stories set the clock in its place.
    (root / "etc/tmpfiles.d/timesync.conf").write_text("d /run/systemd/timesync 0755\n")
    (root / "usr/local/bin/serial-shell").write_text(SHELL)
    units = root / "etc/systemd/system"
    (units / "serial-shell.service").write_text(UNIT)
    (units / "multi-user.target.wants").mkdir(exist_ok=True)
    (units / "multi-user.target.wants/serial-shell.service").symlink_to("../serial-shell.service")
    for unit in QUIET:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")


def disk(cache: pathlib.Path, suite: str) -> tuple[pathlib.Path, pathlib.Path, pathlib.Path, str]:
    """A disk image to be laid under another, the kernel, its initrd, and the processor."""
    with locked(cache):
        archive, unpacked = system(cache, suite), kernel(cache, suite)
        # What this file writes is part of the image.
        made = hashlib.sha256((HERE / "image.py").read_bytes()).hexdigest()[:8]
        image = cache / f"{suite}-{made}.img"
        if not image.exists():
            print(f"A disk with Debian {suite}", flush=True)
            for old in cache.glob(f"{suite}-????????.*"):
                old.unlink()
            with tempfile.TemporaryDirectory(dir=cache) as name:
                root = pathlib.Path(name) / "root"
                root.mkdir()
                subprocess.run(["tar", "-xf", archive, "-C", root], check=True)
                furnish(root)
                initrd(unpacked, (root / "bin/busybox").read_bytes(), image.with_suffix(".initrd"))
                part = pathlib.Path(name) / "disk"
                subprocess.run(["truncate", "-s", "4G", part], check=True)
                subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, part], check=True)
                part.rename(image)
        (linux,) = unpacked.glob("boot/vmlinuz-*")
        return image, linux, image.with_suffix(".initrd"), KERNELS[suite][1]
