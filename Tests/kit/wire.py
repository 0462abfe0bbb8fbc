"""A line between two network namespaces that delays packets and counts every byte of IP; needs root.

Not every kernel can delay packets by itself (netem), so a loop carries them between two tun devices."""
import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import threading
import time

NEAR, FAR = "10.78.0.1", "10.78.0.2"
_TUNSETIFF, _TUN_WITHOUT_INFO = 0x400454CA, 0x1001


class Wire:
    """`delay`: seconds each way. `sent` and `received` are bytes as the near end sees them, all of IP; `carried` has what
    TCP carried of them, both ways."""

    def __init__(self, delay=0.0):
        self.delay, self.sent, self.received, self.carried = delay, 0, 0, 0
        self._held, self._started, self._ends = [], [], []
        self._stop = threading.Event()

    def __enter__(self):
        try:
            for address in (NEAR, FAR):
                # A namespace lives as long as a process in it.
                holder = subprocess.Popen(["unshare", "--net", "sleep", "3600"])
                self._held.append(holder)
                while os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
                    assert holder.poll() is None
                self._ends.append(_open_tun(holder.pid))
                far = len(self._ends) == 2
                self._ip("addr", "add", address, "peer", NEAR if far else FAR, "dev", "line", far=far)
                self._ip("link", "set", "lo", "up", far=far)
                self._ip("link", "set", "line", "up", far=far)
            threading.Thread(target=self._carry, daemon=True).start()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self._stop.set()
        for process in self._started + self._held:
            # After SIGTERM a server ends its own children; after SIGKILL it couldn't.
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()

    def reset(self):
        self.sent = self.received = self.carried = 0

    def enter(self, far=False):
        """The prefix of a command that runs at the near or the far end."""
        return ["nsenter", "-t", str(self._held[int(far)].pid), "-n", "--"]

    def start(self, *command, far=False, **how):
        """A program that runs at one end until the line goes."""
        process = subprocess.Popen([*self.enter(far), *map(str, command)], stdin=subprocess.DEVNULL, **how)
        self._started.append(process)
        return process

    def _ip(self, *arguments, far=False):
        subprocess.run([*self.enter(far), "ip", *arguments], check=True, capture_output=True)

    def _carry(self):
        near, far = self._ends
        queue, order = [], 0
        while not self._stop.is_set():
            wait = max(0.0, queue[0][0] - time.monotonic()) if queue else 0.1
            for end in select.select([near, far], [], [], wait)[0]:
                packet, order = os.read(end, 65536), order + 1
                if packet[0] >> 4 != 4:
                    continue  # the kernel's own IPv6 packets
                self.carried += _payload(packet)
                if end == near:
                    self.sent += len(packet)
                else:
                    self.received += len(packet)
                heapq.heappush(queue, (time.monotonic() + self.delay, order, far if end == near else near, packet))
            while queue and queue[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(queue)
                os.write(end, packet)
        for end in self._ends:
            os.close(end)


def _payload(packet):
    """Bytes of data in a packet of TCP."""
    if packet[9] != 6:
        return 0
    header = (packet[0] & 15) * 4
    return len(packet) - header - (packet[header + 12] >> 4) * 4


def _open_tun(pid):
    """A tun device `line` in a process's network namespace; its descriptor works from anywhere."""
    found = []

    def work():
        with open(f"/proc/{pid}/ns/net") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0):
                raise OSError(ctypes.get_errno(), "setns")
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", b"line", _TUN_WITHOUT_INFO))
        found.append(tun)
    # setns changes the namespace of one thread, so a thread of its own does this and ends.
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]
