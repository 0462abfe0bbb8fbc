"""A forward proxy on loopback: it opens tunnels (CONNECT), or gives everybody the same answer."""
import contextlib
import select
import socket
import threading

from accepting import Accepting


class Tunnel(Accepting):
    """`heads` has the head of every request that came, as text; `answer` is sent instead of opening a tunnel."""

    def __init__(self, answer=None):
        super().__init__()
        self.answer, self.heads = answer, []

    def connected(self, line):
        threading.Thread(target=self._one, args=(line,), daemon=True).start()

    def _one(self, line):
        with line, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (more := line.recv(4096)):
                    return
                head += more
            self.heads.append(head.decode())
            if self.answer:
                line.sendall(self.answer)
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port))) as there:
                line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                while True:
                    for side in select.select([line, there], [], [])[0]:
                        if not (more := side.recv(65536)):
                            return
                        (there if side is line else line).sendall(more)
