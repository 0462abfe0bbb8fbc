"""libcurl is loaded without the libraries that snapshot never uses; where that can't be, with all of them, as libcurl links them."""
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import builds

pytestmark = pytest.mark.skipif(builds.kind() == "debug", reason="`make build` makes the stand-ins, `swift build` doesn't")
STAND_INS = builds.binary("snapshot").parent / "../lib/snapshot"
# What libcurl links, and what these libraries bring along.
UNUSED = ("libldap", "liblber", "librtmp", "libgssapi", "libkrb5", "libgnutls", "libssh2", "libnghttp2", "libpsl")


@pytest.fixture
def copied(ready, tmp_path):
    """The program in a `bin` of its own, with the stand-ins in the `lib` beside it."""
    (tmp_path / "prefix/bin").mkdir(parents=True)
    ready.binary = Path(shutil.copy(ready.binary, tmp_path / "prefix/bin"))
    shutil.copytree(STAND_INS, folder(ready), symlinks=True)
    return ready


def folder(program):
    return program.binary.parent.parent / "lib/snapshot"


def unused_of(program, *prefix):
    """The libraries of UNUSED that a good capture over HTTP has loaded."""
    trace = program.folder / "loaded"
    program.run("capture", prefix=(*prefix, "strace", "-f", "-o", trace, "-e", "trace=openat")).expect(0)
    opened = [line.split('"')[1] for line in trace.read_text().splitlines() if '"' in line and " = -1 " not in line]
    names = [os.path.basename(path) for path in opened if "snapshot" not in path and "/proc/self/fd/" not in path]
    assert any(name.startswith("libcurl.so") for name in names), names
    return {name for name in names if name.startswith(UNUSED)}


def test_a_capture_loads_no_library_that_it_never_uses(copied):
    assert not unused_of(copied)
    shutil.rmtree(folder(copied))
    assert {name.split(".so")[0].split("-")[0] for name in unused_of(copied)} >= {"libldap", "liblber", "libgssapi_krb5"}


def test_libcurl_is_loaded_whole_if_it_looks_up_a_function_that_they_lack(copied, tmp_path):
    shorter = tmp_path / "packaging"
    shorter.mkdir()
    shutil.copy(builds.ROOT / "packaging/stand-ins", shorter)
    functions = (builds.ROOT / "packaging/stand-ins.c").read_text()
    assert "UNUSED(gss_wrap)" in functions
    (shorter / "stand-ins.c").write_text(functions.replace("UNUSED(gss_wrap)", ""))
    target = ["aarch64-linux-gnu"] if builds.is_emulated() else []
    subprocess.run([shorter / "stand-ins", folder(copied), *target], check=True)
    assert unused_of(copied)


def others_can_write(path):
    path.chmod(0o777)


def a_group_can_write(path):
    path.chmod(0o775)


def it_is_somebody_elses(path):
    os.chown(path, 12345, 12345)


def it_is_a_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("flaw", [others_can_write, a_group_can_write, it_is_somebody_elses, it_is_a_link])
def test_no_library_is_taken_from_a_folder_that_somebody_else_can_write(copied, flaw):
    flaw(folder(copied))
    assert unused_of(copied)


@pytest.mark.parametrize("services, are_plain", [
    ("hosts: files dns", True),
    ("passwd: files systemd\ngroup: files systemd\nhosts: files mdns4_minimal [NOTFOUND=return] dns myhostname\nnetgroup: nis", True),
    ("hosts:\tfiles resolve [!UNAVAIL=return] dns # wins", True),
    ("hosts:files dns", True), ("hosts:nis dns", False), ("\thosts : files nis", False),
    ("hosts: files wins dns", False), ("hosts: files nis dns", False), ("hosts: files" + 200 * " dns" + " nis", False),
    ("passwd: files ldap\nhosts: files dns", False), ("group: compat", False)])
def test_name_services_that_may_need_the_real_libraries_get_them(copied, tmp_path, services, are_plain):
    (tmp_path / "nsswitch.conf").write_text(f"# Of this test.\n{services}\n")
    bound = ("unshare", "-m", "--propagation", "private", "sh", "-c", 'mount --bind "$0" /etc/nsswitch.conf && exec "$@"')
    assert bool(unused_of(copied, *bound, tmp_path / "nsswitch.conf")) != are_plain


def test_a_proxy_is_never_asked_to_log_in_by_kerberos(copied):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        copied.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="http://store.invalid/", UPLOAD_ATTEMPTS=1,
                   HTTP_PROXY=f"socks5h://user:secret@127.0.0.1:{proxy.getsockname()[1]}")
        run = copied.start("capture")
        proxy.settimeout(20)
        connection, _ = proxy.accept()
        with connection:
            greeting = connection.recv(64)
            # "No method is acceptable."
            connection.sendall(b"\x05\xff")
        run.result()
    # RFC 1928: 0 is none, 1 is GSSAPI, 2 is a password.
    assert greeting[0] == 5 and set(greeting[2:2 + greeting[1]]) == {0, 2}, greeting
