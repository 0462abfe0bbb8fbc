"""A server that repeats what it was asked, as chatty devices and their error pages do: in body, header and status line."""
import base64
import html
import json
import quopri
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote_plus


def _reolink(text):
    return json.dumps([{"cmd": "Snap", "code": 1, "error": {"rspCode": -7, "detail": text}}])


def _s3(text):
    return f"<Error><Code>Odd</Code><Message>{html.escape(text)}</Message></Error>"


WAYS = {
    "raw": lambda text: text, "decoded": unquote_plus, "percent": lambda text: quote(text, safe=""),
    "percent lower": lambda text: "".join(f"%{b:02x}" for b in text.encode()), "json": json.dumps,
    "json decoded": lambda text: json.dumps(unquote_plus(text)), "php": lambda text: json.dumps(unquote_plus(text)).replace("/", "\\/"),
    "html": lambda text: html.escape(unquote_plus(text)),
    "entities": lambda text: "".join(c if c.isascii() and c.isalnum() else f"&#{ord(c)};" for c in unquote_plus(text)),
    "quoted-printable": lambda text: quopri.encodestring(unquote_plus(text).encode()).decode("latin-1"),
    "base64": lambda text: base64.b64encode(unquote_plus(text).encode()).decode(), "reolink": lambda text: _reolink(unquote_plus(text)),
    "s3": lambda text: _s3(unquote_plus(text)),
}
"""How it repeats, by name."""


class Echo:
    def __init__(self, way, status=404):
        self.asked = []
        """The text of each request."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def _any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
                login = self.headers.get("Authorization", "")
                basic = base64.b64decode(login[6:]).decode("utf-8", "replace") if login.startswith("Basic ") else ""
                # What may be a secret comes first, alone and short, since the program shows only an answer's beginning.
                asked = f"{self.path.partition('user=')[2] or basic or body or self.path} {login} {self.requestline}"
                owner.asked.append(asked)
                wants = self.path.startswith("/still") and not login
                text = WAYS[way](asked).encode("utf-8", "replace")
                line = " ".join(asked.split())[:200].encode("latin-1", "replace").decode("latin-1")
                self.send_response(401 if wants else status, line)
                if wants:
                    self.send_header("WWW-Authenticate", 'Basic realm="x"')
                self.send_header("X-Echo", line)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _any

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
