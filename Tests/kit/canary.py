"""Secrets that tests look for in everything that was written."""
import base64
import json
from urllib.parse import quote, quote_plus


def forms(secret):
    """The ways in which a secret may be written."""
    raw = secret.encode()
    yield from {raw, quote(secret, safe="").encode(), quote(secret).encode(), quote_plus(secret).encode(),
                json.dumps(secret)[1:-1].encode(), json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
                base64.b64encode(raw), raw.replace(b"\\", b"\\\\")}
