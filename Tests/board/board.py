"""An emulated board: four cores, 512 MB, systemd, a disk that outlives it, and a shell on its serial line."""

import array
import base64
import contextlib
import os
import pathlib
import re
import select
import subprocess
import time

import image


class Board:
    """Its disk lies over Debian's, which stays as it is. `clock` of `on` is the time at power-on."""

    def __init__(self, cache: pathlib.Path, suite: str, folder: pathlib.Path, plugin: pathlib.Path | None = None):
        self.base, self.kernel, self.initrd, self.cpu = image.disk(cache, suite)
        self.folder, self.plugin = folder, plugin
        self.disk, self.counts = folder / "disk.qcow2", folder / "counts"
        self.process = None
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", self.base, self.disk], check=True)

    def carry(self, files: dict[str, pathlib.Path]):
        """Puts files where the board can fetch them with `fetch`."""
        with open(self.folder / "carried.tar", "wb") as out:
            names = [f"--transform=s|.*/{path.name}$|{name}|" for name, path in files.items()]
            subprocess.run(["tar", "-cPf", "-", *names, *files.values()], stdout=out, check=True)

    def on(self, clock: str = "", timeout: float = 400):
        arguments = [
            "qemu-system-aarch64", "-M", "virt", "-cpu", self.cpu, "-m", "512", "-smp", "4", "-nodefaults", "-nographic",
            "-no-reboot", "-serial", "stdio", "-kernel", self.kernel, "-initrd", self.initrd,
            "-drive", f"file={self.disk},if=none,format=qcow2,id=d", "-device", "virtio-blk-pci,drive=d",
            "-drive", f"file={self.folder}/carried.tar,if=none,format=raw,readonly=on,id=c", "-device", "virtio-blk-pci,drive=c",
            # What listens on this machine's loopback is 10.0.2.2 to the board.
            "-nic", "user,model=virtio-net-pci,ipv6=off",
            "-append", "console=ttyAMA0 quiet loglevel=0 panic=-1 systemd.firstboot=off systemd.show_status=no"]
        if clock:
            arguments += ["-rtc", f"base={clock},clock=vm"]
        if self.plugin:
            self.counts.unlink(missing_ok=True)
            arguments += ["-plugin", f"{self.plugin},counts={self.counts}"]
        self.console = open(self.folder / "console", "ab")
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.console, bufsize=0)
        self.unread = b""
        begin = time.monotonic()
        self._until(rb"<ready>\r?\n", timeout)
        return time.monotonic() - begin

    def _until(self, pattern: bytes, timeout: float) -> re.Match:
        end = time.monotonic() + timeout
        while True:
            found = re.search(pattern, self.unread)
            if found:
                self.unread = self.unread[found.end():]
                return found
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not more:
                tail = (self.folder / "console").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the board {'is off' if ready else f'says nothing for {timeout:.0f} s'}: …{tail}")
            self.console.write(more)
            self.console.flush()
            self.unread += more

    def run(self, command: str, check: bool = True, timeout: float = 180) -> str:
        self.process.stdin.write(base64.b64encode(command.encode()) + b"\n")
        found = self._until(rb"<([A-Za-z0-9+/=]*) (\d+)>\r?\n", timeout)
        answer, status = base64.b64decode(found[1]).decode(errors="replace").strip(), int(found[2])
        if check and status != 0:
            raise AssertionError(f"{command}: exit {status}\n{answer}")
        return answer

    def cut(self):
        """No power any more: what the board had not yet written to its disk is gone."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.console.close()

    def off(self):
        if self.process and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.process.stdin.write(base64.b64encode(b"systemctl poweroff --no-wall") + b"\n")
            with contextlib.suppress(subprocess.TimeoutExpired):
                # communicate() reads its output: with a full pipe it would never end.
                self.process.communicate(timeout=90)
        if self.process and self.process.poll() is None:
            self.cut()

    def instructions(self) -> int:
        """How many all cores have run since power-on; of a board with the plugin."""
        return sum(array.array("Q", self.counts.read_bytes()))

    # What the stories ask.

    def uptime(self) -> float:
        return float(self.run("cut -d' ' -f1 /proc/uptime"))

    def written(self) -> int:
        """Bytes that its disk has been given since power-on; all that is due is written first, the journal's contents too."""
        return 512 * int(self.run("fsfreeze -f / && fsfreeze -u / && awk '{print $7}' /sys/block/vda/stat"))
