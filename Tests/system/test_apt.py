"""The apt repository that `make apt` makes, as a board uses it: with README's lines, from any web server."""

import gzip
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from installed import Installed, wait_for

REPOSITORY = pathlib.Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8123/packages"


def lines() -> str:
    """README's lines that install from a repository, with the address of this one."""
    block = re.search(r"^```sh\n(at=.*?snapshot\.sources.*?)^```", (REPOSITORY / "README.md").read_text(), re.M | re.S)[1]
    return re.sub(r"^at=\S+", f"at={ADDRESS}", block).replace("sudo ", "").replace("apt install", "apt-get -y -q install")


def make(package: pathlib.Path, out: pathlib.Path, keys: pathlib.Path):
    _, version, architecture = package.stem.split("_")
    shutil.copy(package, out)
    return subprocess.run(
        [REPOSITORY / "packaging/apt", out, version, keys, architecture], capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def board(package, tmp_path_factory):
    """A machine without the package, a web server with the repository in it, and no other place to fetch from."""
    subprocess.run([REPOSITORY / "scripts/require", "apt-utils", "gnupg"], check=True)
    out = tmp_path_factory.mktemp("out")
    keys = out / "keys"
    assert "A new key" in make(package, out, keys).stdout and keys.stat().st_mode & 0o777 == 0o700
    machine = Installed("apt")
    try:
        sources = machine.root / "etc/apt/sources.list.d"
        shutil.rmtree(sources)
        sources.mkdir()
        (machine.root / "etc/apt/sources.list").unlink(missing_ok=True)
        shutil.copytree(out / "apt", machine.root / "srv/packages")
        machine.boot()
        server = machine.start(["python3", "-m", "http.server", "8123", "--bind", "127.0.0.1", "--directory", "/srv"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: machine.run(["curl", "-sf", ADDRESS + "/snapshot.sources"], check=False).returncode == 0, 20, "a server")
        machine.out_folder, machine.keys = out, keys
        yield machine
        server.kill()
    finally:
        machine.stop()


def serve(machine):
    shutil.rmtree(machine.root / "srv/packages")
    shutil.copytree(machine.out_folder / "apt", machine.root / "srv/packages")


def test_installs_with_readmes_lines(board, package):
    board.run(lines(), timeout=180)
    version = subprocess.run(["dpkg-deb", "-f", package, "Version"], capture_output=True, text=True, check=True).stdout.strip()
    assert board.out("snapshot --version").strip() == version
    assert "/srv" not in board.out("apt-cache policy snapshot") and ADDRESS in board.out("apt-cache policy snapshot")


def test_a_second_run_keeps_the_key_and_older_packages(board, package):
    older = board.out_folder / "apt/pool/snapshot_0.0.1_all.deb"
    shutil.copy(package, older)
    assert "A new key" not in make(package, board.out_folder, board.keys).stdout
    assert older.exists()
    older.unlink()
    serve(board)
    board.run("apt-get -q update -o APT::Update::Error-Mode=any")


@pytest.mark.parametrize("kind", ["Packages", "another key"])
def test_refuses_an_index_that_was_not_signed(board, package, tmp_path, kind):
    served = board.root / "srv/packages"
    if kind == "Packages":
        for index in served.glob("dists/stable/main/binary-*/Packages*"):
            text = subprocess.run(["xz", "-dc", index], capture_output=True).stdout if index.suffix == ".xz" else index.read_bytes()
            if index.suffix == ".gz":
                text = gzip.decompress(text)
            text = text.replace(b"Package: snapshot", b"Package: snapshoot")
            packed = {".gz": gzip.compress(text), ".xz": subprocess.run(["xz", "-c"], input=text, capture_output=True).stdout}
            index.write_bytes(packed.get(index.suffix, text))
    else:
        make(package, tmp_path, tmp_path / "keys")
        shutil.rmtree(served)
        shutil.copytree(tmp_path / "apt", served)
    board.run("rm -rf /var/lib/apt/lists/*")
    assert board.run("apt-get -q update -o APT::Update::Error-Mode=any", check=False).returncode != 0
    serve(board)
    board.run("apt-get -q update -o APT::Update::Error-Mode=any")


def test_refuses_a_package_that_was_changed(board, package):
    (served,) = (board.root / "srv/packages/pool").glob("*.deb")
    data = bytearray(served.read_bytes())
    data[len(data) // 2] ^= 1
    served.write_bytes(data)
    board.run("apt-get clean")
    done = board.run("apt-get -y -q install --reinstall snapshot", check=False)
    assert done.returncode != 0 and "Hash Sum mismatch" in done.stdout + done.stderr
    serve(board)


def test_a_key_of_ones_own(package, tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    for name in ("first", "second"):
        subprocess.run([*gpg, "--quick-generate-key", name, "rsa3072", "sign", "never"], check=True, capture_output=True)
    listed = subprocess.run([*gpg, "--list-secret-keys", "--with-colons"], capture_output=True, text=True, check=True).stdout
    second = re.findall(r"^fpr:*([0-9A-F]+):", listed, re.M)[1]
    os.environ["APT_KEY"] = second
    try:
        make(package, tmp_path, home)
    finally:
        del os.environ["APT_KEY"]
    verified = subprocess.run(
        [*gpg, "--status-fd", "1", "--verify", tmp_path / "apt/dists/stable/InRelease"], capture_output=True, text=True)
    assert f"VALIDSIG {second}" in verified.stdout
