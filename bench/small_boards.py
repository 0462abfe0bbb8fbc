"""What a shot costs a small board: instructions, as QEMU counts them, on arm64 and on x86-64, beside the C reference."""
import array
import os
import subprocess
from pathlib import Path

from measuring import Command
from report import Section
from rig import HERE, ROOT

PROGRAM = ROOT / ".build-arm64/aarch64-unknown-linux-gnu/release/snapshot"
SYSROOT = Path(os.environ.get("CROSS_CACHE", "/var/cache/snapshot-cross")) / "sdk/sysroot"


class Counter:
    """Runs one program in QEMU and counts; what it starts in turn isn't counted."""

    def __init__(self, folder):
        self.folder = folder
        self.plugin = folder / "count.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", self.plugin, ROOT / "Tests/board/count.c"], check=True)

    def count(self, emulator, command, **settings):
        counts = self.folder / "counts"
        counts.unlink(missing_ok=True)
        done = subprocess.run(
            [*emulator, "-plugin", f"{self.plugin},counts={counts}", *map(str, command.arguments)], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, env=command.environment | settings, cwd=command.folder)
        if done.returncode:
            raise RuntimeError(f"in QEMU {command.arguments[0]} ended with {done.returncode}: {done.stderr}")
        return sum(array.array("Q", counts.read_bytes()))


def measure(rig, options):
    section = Section(
        "Small boards", "Million instructions in user space, as QEMU's emulation of programs counts them: one shot as above, by the "
        "packaged programs for each processor. A Raspberry Pi 3 or 4 has no instructions for cryptography.",
        ["", "snapshot capture", "C on libcurl", "snapshot / C", "snapshot health", "snapshot --version"])
    if not PROGRAM.exists():
        section.how += " Not measured: `make deb ARCH=arm64` comes first."
        return [section]
    counter = Counter(rig.folder)
    reference = rig.folder / "reference-arm64"
    subprocess.run(["aarch64-linux-gnu-gcc", "-O2", "-Wno-deprecated-declarations", f"--sysroot={SYSROOT}", "-o", reference,
                    HERE / "clients/reference.c", "-lcurl", "-lcrypto"], check=True)
    stripped = rig.installed("snapshot", PROGRAM, "arm64", "aarch64-linux-gnu-strip")
    arm64 = ["qemu-aarch64", "-L", str(SYSROOT)]
    rows = {"arm64": (arm64, stripped, reference, {}),
            "arm64 without instructions for cryptography": (arm64, stripped, reference, {"OPENSSL_armcap": "1"}),
            "x86-64": (["qemu-x86_64"], rig.installed("snapshot"), rig.reference, {})}
    for name, (emulator, program, c, settings) in rows.items():
        def ours(*arguments):
            command = rig.snapshot(*arguments, home=f"board-{emulator[0]}")
            return Command([program, *command.arguments[1:]], command.environment, command.folder)
        theirs = rig.others()["C on libcurl"]
        theirs = Command([c, *theirs.arguments[1:]], theirs.environment, theirs.folder)
        # A first run, which isn't counted, creates the state that later runs find.
        counter.count(emulator, ours("capture"), **settings)
        shot, reference_shot = counter.count(emulator, ours("capture"), **settings), counter.count(emulator, theirs, **settings)
        health, version = (counter.count(emulator, ours(word), **settings) for word in ("health", "--version"))
        section.rows.append([name, *(f"{n / 1e6:.1f}" for n in (shot, reference_shot)), f"{shot / reference_shot:.2f}",
                             *(f"{n / 1e6:.1f}" for n in (health, version))])
    return [section]
