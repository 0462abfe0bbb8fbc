"""A TCP line that streams run over: it can be cut, frozen and refused while they do."""
import select
import socket
import struct
import threading


class Line:
    """Listens on `port` and forwards to `target` on loopback."""

    def __init__(self, target):
        self.target, self.refuses = target, False
        self._pairs, self._frozen, self._lock = [], set(), threading.Lock()
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
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for side in (s for pair in pairs for s in pair):
            try:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def freeze(self):
        """Nothing passes the present connections any more; new ones work."""
        with self._lock:
            self._frozen.update(id(pair) for pair in self._pairs)

    def thaw(self):
        with self._lock:
            self._frozen.clear()

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
            pair = (near, far)
            with self._lock:
                self._pairs.append(pair)
            for source, target in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(pair, source, target), daemon=True).start()

    def _pump(self, pair, source, target):
        try:
            while not self._stop.is_set():
                if id(pair) in self._frozen:
                    self._stop.wait(0.1)
                elif select.select([source], [], [], 0.2)[0]:
                    if id(pair) in self._frozen:
                        continue
                    if not (data := source.recv(65536)):
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(data)
        except (OSError, ValueError):
            for side in pair:
                side.close()
