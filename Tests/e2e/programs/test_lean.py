"""What the one-shot is made of: the system's libraries, and no more of them and of Swift than it needs."""
import os
import subprocess

import pytest

from pictures import picture
from program import binary

pytestmark = pytest.mark.skipif("debug" in str(binary("snapshot")), reason="needs a release build")


def test_it_links_system_libraries_only():
    # As ldd does, which can't read a program of another processor.
    asked = os.environ | {"LD_TRACE_LOADED_OBJECTS": "1"}
    lines = subprocess.run([binary("snapshot")], env=asked, capture_output=True, text=True, check=True).stdout.splitlines()
    paths = [line.split("=>")[1].split()[0] for line in lines if "=>" in line]
    assert any("/libc.so" in p for p in paths)
    assert all(p.startswith(("/lib/", "/usr/lib/")) for p in paths), paths
    assert not [p for p in paths if "swift" in p.lower() or "foundation" in p.lower() or "stdc++" in p], paths


def test_neither_full_foundation_nor_a_network_framework_is_in_it():
    symbols = subprocess.run(["nm", str(binary("snapshot"))], capture_output=True, text=True, check=True).stdout
    assert "15SnapshotCapture" in symbols, "the symbols are there to be looked at"
    assert "$s10Foundation" not in symbols and "$s7NIOCore" not in symbols and "$s8NIOPosix" not in symbols


def opened_by(run, *arguments, tmp_path):
    trace = tmp_path / "opened"
    run(*arguments, prefix=("strace", "-f", "-o", trace, "-e", "trace=openat"))
    return trace.read_text()


def test_libcurl_is_loaded_only_where_something_goes_over_http(ready, tmp_path):
    assert "libcurl.so" in opened_by(ready.run, "capture", tmp_path=tmp_path)
    for arguments in (["health"], ["health", "--json"], ["--version"], ["--help"], ["schedule", "--print"]):
        opened = opened_by(ready.run, *arguments, tmp_path=tmp_path)
        assert "libc.so" in opened and "libcurl.so" not in opened and "libcrypto.so" not in opened, arguments
    (tmp_path / "still.jpg").write_bytes(picture())
    ready.set(CAMERA_URL=f"file:{tmp_path}/still.jpg", CAMERA_IP=None)
    assert "libcurl.so" not in opened_by(ready.run, "capture", tmp_path=tmp_path)
    assert len(ready.stored()) == 2


def test_a_missing_libcurl_is_told(ready, tmp_path):
    (tmp_path / "libcurl.so.4").touch()
    told = ready.capture(env={"LD_LIBRARY_PATH": tmp_path}).refuses(69, "libcurl.so.4")
    assert told.hints == ["install libcurl, on Debian: apt install libcurl4"]
    assert ready.state["last_error"]["code"] == "no-libcurl"


def test_a_missing_libcrypto_is_told(ready, tmp_path):
    (tmp_path / "libcrypto.so.3").touch()
    (tmp_path / "still.jpg").write_bytes(picture())
    ready.set(CAMERA_URL=f"file:{tmp_path}/still.jpg", CAMERA_IP=None)
    told = ready.run("capture", env={"LD_LIBRARY_PATH": tmp_path})
    assert told.code == 127 and "cannot load libcrypto: " in told.stderr, told
    assert ready.run("health", env={"LD_LIBRARY_PATH": tmp_path}).stdout
