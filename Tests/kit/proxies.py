"""Reverse proxies in front of a snapshot-web, below `/cam/`, as docs/web.md has them: nginx, Caddy, HAProxy."""
import re
import socket
import subprocess

import parts
from builds import ROOT
from process import wait_until
from web import Client, end

PASSWORD = "proxy-login"
TARGET = "127.0.0.1:8080"


def recipe(language):
    """What the page says for that proxy."""
    return re.search(rf"^```{language}\n(.*?)^```$", (ROOT / "docs/web.md").read_text(), re.M | re.S)[1]


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class Proxy(Client):
    """On a free port; with or without a login of its own, which is user anna's."""

    def __init__(self, folder, target, login=False):
        parts.need("proxies")
        with socket.create_server(("127.0.0.1", 0)) as free:
            super().__init__(free.getsockname()[1])
        self.folder, self.target, self.login = folder, target.removeprefix("http://"), login
        self.log = open(folder / f"{type(self).__name__}.log", "w+")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, cwd=folder, env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)})

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def __enter__(self):
        def answers():
            assert self.process.poll() is None, (self.folder / self.log.name).read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            except OSError:
                return False
        wait_until(answers, 20, type(self).__name__)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            self.log.close()


class Nginx(Proxy):
    sets = ""

    def command(self):
        text = recipe("nginx").replace(TARGET, self.target).replace("/etc/nginx/cameras.htpasswd", f"{self.folder}/users")
        self.write("users", f"anna:{output('openssl', 'passwd', '-apr1', PASSWORD)}\n")
        if not self.login:
            text = re.sub(r"^.*auth_basic.*$", "", text, flags=re.M)
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = text.replace("proxy_pass", "proxy_set_header Host $http_host; proxy_pass")
        path = self.write("nginx.conf", f"""
            daemon off; pid {self.folder}/pid; user root; events {{}}
            http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{self.port}; absolute_redirect off; {text} }} }}""")
        return ["nginx", "-c", path, "-e", "stderr"]


class Caddy(Proxy):
    def command(self):
        text = recipe("caddy").replace(TARGET, self.target)
        if self.login:
            text = text.replace("HASH", output("caddy", "hash-password", "--plaintext", PASSWORD))
        else:
            text = re.sub(r"basicauth \{.*?\}", "", text, flags=re.S)
        path = self.write("Caddyfile", f"{{\nadmin off\nauto_https off\n}}\nhttp://127.0.0.1:{self.port} {{\n{text}\n}}\n")
        return ["caddy", "run", "--config", path, "--adapter", "caddyfile"]


class HAProxy(Proxy):
    def command(self):
        text = recipe("haproxy").replace(TARGET, self.target).replace("bind :80", f"bind 127.0.0.1:{self.port}")
        text = text.replace("HASH", output("openssl", "passwd", "-6", PASSWORD))
        if not self.login:
            text = re.sub(r"^.*http-request auth.*$", "", text, flags=re.M)
            text = text.replace("http-request set-header X-Forwarded-User %[http_auth_user]", "http-request del-header X-Forwarded-User")
        path = self.write("haproxy.cfg", f"defaults\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n\n{text}")
        return ["haproxy", "-db", "-f", path]


PROXIES = [Nginx, Caddy, HAProxy]
