"""The stores that the contract suite runs over, all with the same interface.

A store tells the settings that reach it, what it holds, and the facts that came with a picture (`names`, beside its
time); it can be taken down and brought up, refuse the credentials, and lose its bucket.
"""
import hashlib
import secrets
from contextlib import ExitStack, contextmanager
from urllib.parse import unquote

import rgw
import seaweed
import shared
import swift_s3
from bucket import Bucket
from faultproxy import FaultProxy
from receiver import Receiver

S3_KINDS = ("rgw", "rgw-tls", "seaweed", "swift")
KINDS = ("filesystem", "http", "http-raw", *S3_KINDS)
REMOTE_KINDS = tuple(k for k in KINDS if k != "filesystem")


class FilesystemStore:
    remote = False

    def __init__(self, folder):
        self.path = folder / "pictures"
        self.settings = {"STORAGE_BACKEND": "filesystem", "LOCAL_STORAGE_PATH": self.path}

    def pictures(self):
        return {str(p.relative_to(self.path)): p.read_bytes() for p in self.path.rglob("*") if p.is_file()} \
            if self.path.is_dir() else {}

    def facts(self, key):
        return {}

    def down(self):
        """Puts a file in the folder's place: modes don't keep root from writing into a folder."""
        assert not self.path.exists()
        self.path.write_text("in the way")

    def up(self):
        self.path.unlink()


class HTTPStore:
    remote = True
    wrong_secret = {"HTTP_AUTH_TOKEN": "wrong-token"}

    def __init__(self, stack, raw=False):
        self.raw, self._stack = raw, stack
        self.names = ("camera", "sha256", "content_type", "clock", "key", *(() if raw else ("filename",)))
        self.receiver = stack.enter_context(Receiver(token="upload-token"))
        self.proxy = stack.enter_context(FaultProxy(self.receiver.port))
        self.settings = {"STORAGE_BACKEND": "http", "HTTP_UPLOAD_URL": f"http://127.0.0.1:{self.proxy.port}/up/load?site=1",
                         "HTTP_AUTH_TOKEN": "upload-token", "HTTP_UPLOAD_FORMAT": "raw" if raw else "multipart"}

    def accepted(self):
        """What it took with the right token and whole."""
        taken = [r for r in self.receiver.received if r.headers.get("Authorization") == "Bearer upload-token"]
        return {self.facts_of(r)["key"]: r for r in taken if r.body or r.file}

    def pictures(self):
        return {k: r.body if self.raw else r.file for k, r in self.accepted().items()}

    def facts(self, key):
        return self.facts_of(self.accepted()[key])

    def facts_of(self, r):
        if self.raw:
            headers = {k.lower(): v for k, v in r.headers.items()}
            named = {k[len("x-snapshot-"):].replace("-", "_"): unquote(v) for k, v in headers.items() if k.startswith("x-snapshot-")}
            named["content_type"] = headers.get("content-type")
        else:
            named = {**r.fields, "content_type": r.file_type, "filename": r.filename}
        # Where the clock is right, the request doesn't say so.
        return {"clock": "synced", **named}

    def down(self):
        self.proxy.set("refuse")

    def up(self):
        self.proxy.set("pass")


class S3Store:
    remote = True
    names = ("camera", "sha256", "content_type", "clock")

    def __init__(self, stack, server, name, keys, secure=False, policy=None):
        self.server, self.bucket = server, Bucket(server, name, policy)
        self.proxy = stack.enter_context(FaultProxy(server["https_port" if secure else "port"]))
        scheme = "https" if secure else "http"
        self.prefix = f"p-{secrets.token_hex(4)}/"
        self.settings = {
            "STORAGE_BACKEND": "s3", "S3_BUCKET": name, "S3_PREFIX": self.prefix,
            "S3_ENDPOINT_URL": f"{scheme}://127.0.0.1:{self.proxy.port}", "AWS_REGION": server["region"],
            "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1]}
        if secure:
            self.settings["AWS_CA_BUNDLE"] = server["ca"]
        self.wrong_secret = {"AWS_SECRET_ACCESS_KEY": "wrong" + keys[1][5:]}

    def pictures(self):
        return {k[len(self.prefix):]: v for k, v in self.bucket.objects(self.prefix).items()}

    def facts(self, key):
        head = self.bucket.head(self.prefix + key)
        return {**{k.replace("-", "_"): unquote(v) for k, v in head["Metadata"].items()}, "content_type": head["ContentType"]}

    def down(self):
        self.proxy.set("refuse")

    def up(self):
        self.proxy.set("pass")


@contextmanager
def store(kind, folder):
    """The store of that kind, the S3 ones with a put-only user where the server knows such."""
    with ExitStack() as stack:
        if kind == "filesystem":
            yield FilesystemStore(folder)
        elif kind in ("http", "http-raw"):
            yield HTTPStore(stack, raw=kind == "http-raw")
        elif kind in ("rgw", "rgw-tls"):
            name = f"snaps-{secrets.token_hex(4)}"
            server = shared.server("rgw", rgw.start)
            yield S3Store(stack, server, name, server["camera"], kind == "rgw-tls", rgw.put_only(name))
        elif kind == "seaweed":
            server = shared.server("seaweed", seaweed.start)
            yield S3Store(stack, server, server["bucket"], server["camera"])
        elif kind == "swift":
            server = shared.server("swift", swift_s3.start)
            yield S3Store(stack, server, f"snaps-{secrets.token_hex(4)}", server["camera"])
        else:
            raise ValueError(f"no store of kind {kind!r}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()
