"""A TLS server that is a camera and a store, and notes what each handshake began with and how it went."""
import socket
import ssl
import struct
import threading
from dataclasses import dataclass

from pictures import picture


@dataclass
class Handshake:
    offers: bool
    """The client's first message holds a session, be it a ticket, an identity or a key of TLS 1.3."""
    resumed: bool = False
    version: str = ""
    client: bytes | None = None


def offers_session(hello):
    """Whether a TLS record with a ClientHello offers a session."""
    at = 5 + 4 + 2 + 32  # record, message, version, random
    identity = hello[at]
    at += 1 + identity
    at += 2 + struct.unpack_from(">H", hello, at)[0]  # ciphers
    at += 1 + hello[at]  # compressions
    end = at + 2 + struct.unpack_from(">H", hello, at)[0]
    at += 2
    extensions = {}
    while at < end:
        kind, size = struct.unpack_from(">HH", hello, at)
        extensions[kind] = size
        at += 4 + size
    # In TLS 1.3 every client sends an identity, which means nothing.
    return 41 in extensions or extensions.get(35, 0) > 0 or (identity > 0 and 43 not in extensions)


def wait_for_end(client):
    while client.recv(16384):
        pass


class TLSServer:
    """`change(context)` may alter how it speaks TLS.

    `breaks` says what goes wrong with a session: whoever offers one is reset or left to hang; or, once it is resumed, the
    connection is closed at the request, the request isn't answered, or it is answered with 421.
    """

    def __init__(self, certificate, port=0, version=None, change=None, port_host="127.0.0.1"):
        self.handshakes, self.bodies, self.breaks = [], [], None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self._context.load_cert_chain(certificate[0], certificate[1])
        if version:
            self._context.minimum_version = self._context.maximum_version = version
        if change:
            change(self._context)
        self._socket = socket.create_server((port_host, port))
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"https://{self.address}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def last(self):
        return self.handshakes[-1]

    def _serve(self):
        while True:
            try:
                client = self._socket.accept()[0]
            except OSError:
                return
            client.settimeout(10)
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        try:
            hello = b""
            while len(hello) < 5 or len(hello) < 5 + struct.unpack_from(">H", hello, 3)[0]:
                seen = client.recv(16384, socket.MSG_PEEK)
                if not seen:
                    return
                hello = seen
            handshake = Handshake(offers_session(hello))
            self.handshakes.append(handshake)
            if handshake.offers and self.breaks == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if handshake.offers and self.breaks == "hang":
                return wait_for_end(client)
            with self._context.wrap_socket(client, server_side=True) as secure:
                handshake.resumed, handshake.version = secure.session_reused, secure.version()
                handshake.client = secure.getpeercert(True)
                self._answer(secure)
        except OSError:
            pass
        finally:
            client.close()

    def _answer(self, secure):
        stream = secure.makefile("rb")
        while line := stream.readline():
            method, headers = line.split()[0], {}
            while (header := stream.readline().strip()):
                name, value = header.split(b":", 1)
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get(b"content-length", 0)))
            fault = self.breaks if secure.session_reused else None
            if fault == "close":
                return
            if fault == "silence":
                return wait_for_end(secure)
            if fault == "421":
                secure.sendall(b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n")
                continue
            if body:
                self.bodies.append(body)
            answer = picture() if method == b"GET" else b"ok"
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
