"""What gives temporary keys: a program as `credential_process`, AWS's STS, AWS IoT's credential provider by mutual TLS."""
import datetime
import json
from urllib.parse import parse_qsl

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from scripted import Asked, Scripted

SECRET, TOKEN = "LentSecret/+0123456789abcdef", "LentToken/+0123456789abcdef=="


def when(seconds):
    """The time so many seconds from now, as providers write it."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class CredentialProcess:
    """A credential_process that counts its runs. What it does is a shell script."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.path = folder / "lend"
        self.path.write_text('#!/bin/sh\nd=$(dirname "$0")\necho run >>"$d/runs"\n. "$d/does"\n')
        self.path.chmod(0o755)
        self.gives("ASIAFIRST00000000001", 3600)

    @property
    def runs(self):
        path = self.folder / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def does(self, text):
        (self.folder / "does").write_text(text + "\n")
        return self

    def gives(self, key, seconds=None, **more):
        """Prints that key, which ends in so many seconds, or never."""
        answer = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": SECRET, "SessionToken": TOKEN, **more}
        if seconds is not None:
            answer["Expiration"] = when(seconds)
        (self.folder / "out").write_text(json.dumps(answer))
        return self.does('cat "$d/out"')

    def profile(self, name="default", command=None, **more):
        lines = "".join(f"{k} = {v}\n" for k, v in {"credential_process": command or self.path, **more}.items())
        return f"[{'default' if name == 'default' else f'profile {name}'}]\n{lines}"


class Request(Asked):
    @property
    def fields(self):
        return dict(parse_qsl(self.body.decode()))

    @property
    def key(self):
        """The access key that signed it."""
        return self.headers["authorization"].split("Credential=")[1].split("/")[0]

    def is_signed_by(self, keys, region, monkeypatch):
        """Whether botocore computes the same signature."""
        moment = datetime.datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: moment)
        names = self.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        names = [n for n in names if n not in ("host", "x-amz-date", "x-amz-security-token")]
        asked = AWSRequest(self.method, f"http://{self.headers['host']}{self.path}", {n: self.headers[n] for n in names}, self.body)
        botocore.auth.SigV4Auth(Credentials(*keys), "sts", region).add_auth(asked)
        return asked.headers["Authorization"] == self.headers["authorization"]


class CredentialProvider(Scripted):
    kind = Request


def sts(end=3600, key=None):
    """Gives the keys of any role."""
    def answer(asked):
        role = asked.fields["RoleArn"].split("/")[-1]
        return 200, {"Content-Type": "text/xml"}, f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser><AssumedRoleId>ARO:s</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/{role}/s</Arn></AssumedRoleUser>
    <Credentials><AccessKeyId>{key or 'ASIA' + role.upper()}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>
      <SessionToken>{TOKEN * 40}</SessionToken><Expiration>{when(end)}</Expiration></Credentials>
  </AssumeRoleResult></AssumeRoleResponse>"""
    return answer


def sts_error(status, code, message="so it is", **headers):
    return lambda _: (status, headers, f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
                                       f"<Message>{message}</Message></Error></ErrorResponse>")


def iot(end=3600, key="ASIAIOT0000000000001"):
    return lambda _: (200, {"Content-Type": "application/json"}, json.dumps({"credentials": {
        "accessKeyId": key, "secretAccessKey": SECRET, "sessionToken": TOKEN, "expiration": when(end)}}))
