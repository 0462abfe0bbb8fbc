"""A server that means harm: whatever it is asked, it answers with bytes of a test's choice, without end if need be."""
import itertools
import re
import socket
import threading

MOST = 600 << 20
"""A peer that no client stops ends after so many bytes, more than a program may ever hold."""


class Peer:
    """Every answer begins with the bytes `first`; the pieces in `then` follow, an iterable or a function that makes one."""

    def __init__(self, first, then=()):
        self.first, self.then = first, then
        self.requests, self.sent = [], 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client):
        with client:
            try:
                client.settimeout(30)
                self._read(client)
                for piece in itertools.chain([self.first], self.then() if callable(self.then) else self.then):
                    client.sendall(piece)
                    self.sent += len(piece)
                    if self.sent > MOST:
                        return
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
            except OSError:
                pass

    def _read(self, client):
        """Takes one request: head and announced body."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := client.recv(65536)):
                raise OSError("the client left")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        self.requests.append(head.decode("latin-1"))
        length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
        left = int(length[1]) - len(body) if length else 0
        while left > 0:
            if not (more := client.recv(65536)):
                raise OSError("the client left")
            left -= len(more)


def forever(piece, most=1 << 20):
    """One piece again and again, in writes of about a MiB."""
    return itertools.repeat(piece * max(1, most // len(piece)))
