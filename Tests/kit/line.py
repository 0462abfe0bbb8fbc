"""A TCP line that streams run over: it can be cut, frozen and refused while they do."""
import select
import socket
import struct
import threading


class Connection:
    def __init__(self, near, far):
        self.near, self.far, self.frozen = near, far, False
        self.sent = bytearray()
        """What came from the near end, where it is kept."""


class Line:
    """Listens on `port` and forwards to `target` on loopback."""

    def __init__(self, target, keeps=False):
        self.target, self.refuses, self.keeps = target, False, keeps
        self.starts_frozen = False
        """Whether new connections pass nothing."""
        self._connections, self._lock = set(), threading.Lock()
        self._stop = threading.Event()
        self._listener = socket.socket()
        # Little waits in the kernel, so that a frozen line is noticed soon.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(16)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        # Wakes the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self):
        """Resets the present connections, on both sides."""
        for connection in self._present():
            for side in (connection.near, connection.far):
                try:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
            connection.frozen = False

    def freeze(self):
        """Nothing passes the present connections any more; new ones work."""
        for connection in self._present():
            connection.frozen = True

    def thaw(self):
        for connection in self._present():
            connection.frozen = False

    @property
    def sent(self):
        """What the present connections have sent."""
        return [bytes(c.sent) for c in self._present()]

    def _present(self):
        with self._lock:
            return list(self._connections)

    def _accept(self):
        while not self._stop.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.refuses:
                    raise ConnectionRefusedError
                far = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                near.close()
                continue
            connection = Connection(near, far)
            connection.frozen = self.starts_frozen
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._carry, args=(connection,), daemon=True).start()

    def _carry(self, connection):
        there = threading.Thread(target=self._pump, args=(connection, connection.near, connection.far), daemon=True)
        there.start()
        self._pump(connection, connection.far, connection.near)
        there.join()
        with self._lock:
            self._connections.discard(connection)
        for side in (connection.near, connection.far):
            side.close()

    def _pump(self, connection, source, target):
        try:
            while not self._stop.is_set():
                if connection.frozen:
                    self._stop.wait(0.1)
                elif select.select([source], [], [], 0.2)[0]:
                    if connection.frozen:
                        continue
                    if not (data := source.recv(65536)):
                        target.shutdown(socket.SHUT_WR)
                        return
                    if self.keeps and source is connection.near:
                        connection.sent += data
                    target.sendall(data)
        except OSError:
            # The other direction ends as well.
            for side in (source, target):
                try:
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
