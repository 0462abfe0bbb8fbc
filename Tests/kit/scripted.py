"""An HTTP server whose answers are a function of what it is asked."""
import hashlib
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    method: str
    path: str
    headers: dict
    """By their names in lower case."""
    body: bytes
    peer: str | None
    """The common name of the client's certificate."""

    @property
    def login(self):
        return self.headers.get("authorization", "")

    @property
    def way(self):
        """How it logs in, e.g. `Basic`; empty where it doesn't."""
        return self.login.partition(" ")[0]


class Scripted:
    """Answers as `answer(asked)` says, which a subclass has, or which is given: (status, headers, body). The headers are a
    dictionary, or pairs where a name comes twice."""

    kind = Asked

    def __init__(self, answer=None, ssl=None, port=0):
        self.received, scripted = [], self
        if answer:
            self.answer = answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                certificate = self.connection.getpeercert() if ssl else None
                subject = dict(part[0] for part in certificate["subject"]) if certificate else {}
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = scripted.kind(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body,
                                      subject.get("commonName"))
                scripted.received.append(asked)
                status, headers, body = scripted.answer(asked)
                body = body.encode() if isinstance(body, str) else body
                pairs = list(headers.items() if isinstance(headers, dict) else headers)
                if not any(name.lower() == "content-length" for name, _ in pairs):
                    pairs.append(("Content-Length", len(body)))
                self.send_response_only(status)
                for name, value in pairs:
                    self.send_header(name, str(value))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_POST = do_PUT = do_HEAD = do_OPTIONS = do_DELETE = do_CONNECT = do_GET

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """Prints nothing: the client reports a handshake that failed."""

            def finish_request(self, request, client):
                if ssl:
                    request = ssl.wrap_socket(request, server_side=True)
                super().finish_request(request, client)
                if ssl:
                    request.close()

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http{'s' if ssl else ''}://{self.host}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def is_digest_of(asked, user, password):
    """Whether that is the right answer to the challenge that it repeats (RFC 7616, MD5)."""
    def md5(text): return hashlib.md5(text.encode()).hexdigest()
    if asked.way.lower() != "digest":
        return False
    f = dict(re.findall(r'(\w+)="?([^",]+)"?', asked.login))
    ha1, ha2 = md5(f"{user}:{f['realm']}:{password}"), md5(f"{asked.method}:{asked.path}")
    quality = f":{f['nc']}:{f['cnonce']}:{f['qop']}" if "qop" in f else ""
    return f["uri"] == asked.path and f["response"] == md5(f"{ha1}:{f['nonce']}{quality}:{ha2}")
