"""The container image of `make oci`: skopeo can copy it, and the program runs in it, not as root."""

import json
import pathlib
import shutil
import subprocess

import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def make(package, tmp_path_factory):
    """Makes the image; call it again, and it makes another one of the same packages."""
    subprocess.run([REPOSITORY / "scripts/require", "skopeo"], check=True)
    _, version, architecture = package.stem.split("_")
    cache = tmp_path_factory.mktemp("cache")

    def make():
        out = tmp_path_factory.mktemp("oci")
        shutil.copy2(package, out)
        made = subprocess.run([REPOSITORY / "packaging/oci", out, version, cache, architecture], capture_output=True, text=True, check=True)
        return pathlib.Path(made.stdout.strip())
    return make


@pytest.fixture(scope="module")
def archive(make):
    return make()


@pytest.fixture(scope="module")
def image(archive, tmp_path_factory):
    """The image as a registry's tool copies it: configuration and root folder."""
    folder = tmp_path_factory.mktemp("image")
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", f"oci-archive:{archive}", f"dir:{folder / 'copy'}"], check=True)
    manifest = json.loads((folder / "copy/manifest.json").read_text())
    digest = manifest["config"]["digest"].removeprefix("sha256:")
    (layer,) = manifest["layers"]
    (folder / "root").mkdir()
    subprocess.run(["tar", "-xpf", folder / "copy" / layer["digest"].removeprefix("sha256:"), "-C", folder / "root"], check=True)
    return json.loads((folder / "copy" / digest).read_text()), folder / "root"


def run(image, *arguments, **more):
    """Runs it as an engine does: its user, its environment, its folder, and a /proc."""
    config, root = image[0]["config"], image[1]
    user, environment = config["User"], config["Env"] + [f"{key}={value}" for key, value in more.items()]
    # Its root has neither a shell nor env.
    inner = ["python3", "-c", (
        "import os, sys\nroot, user, folder, *words = sys.argv[1:]\nuid, gid = map(int, user.split(':'))\n"
        "os.chroot(root); os.chdir(folder); os.setgroups([]); os.setgid(gid); os.setuid(uid)\n"
        "split = words.index('--')\n"
        "os.execve(words[split + 1], words[split + 1:], dict(one.split('=', 1) for one in words[:split]))")]
    return subprocess.run(
        ["unshare", "-m", "sh", "-ec", f'mount -t proc proc "{root}/proc"; exec "$@"', "sh", *inner, root, user,
         config["WorkingDir"], *environment, "--", *config["Entrypoint"], *arguments],
        capture_output=True, text=True, timeout=60)


def test_is_not_roots(image):
    config = image[0]["config"]
    assert config["User"] == "65532:65532" and config["Entrypoint"] == ["/usr/bin/snapshot"]
    assert (image[1] / "var/lib/snapshot").stat().st_uid == 65532
    assert not [path for path in ("bin/sh", "usr/bin/dash") if (image[1] / path).exists()]


def test_takes_a_picture(image, simulator):
    with subprocess.Popen([simulator, "--port", "0", "--password", "x"], stdout=subprocess.PIPE) as camera:
        port = json.loads(camera.stdout.readline())["http"]
        done = run(image, "capture", CAMERA_IP=f"127.0.0.1:{port}", CAMERA_PASSWORD="x")
        camera.kill()
    assert done.returncode == 0, done.stdout + done.stderr
    (picture,) = (image[1] / "var/lib/snapshot/snapshots").rglob("*.jpg")
    assert picture.stat().st_uid == 65532
    assert "healthy" in run(image, "health").stdout


def test_trusts_authorities_and_knows_zones(image):
    """An upload over TLS needs the authorities, a key in local time the zones."""
    authorities = (image[1] / "etc/ssl/certs/ca-certificates.crt").read_text()
    assert authorities.count("BEGIN CERTIFICATE") > 100
    assert (image[1] / "usr/share/zoneinfo/Europe/Berlin").exists()


def test_is_the_same_from_the_same_packages(archive, make):
    """Its digests tell whether two images differ."""
    def digests(path):
        names = subprocess.run(["tar", "-tf", path], capture_output=True, text=True, check=True).stdout.split()
        return {name for name in names if "/sha256/" in name}
    assert digests(archive) == digests(make())
