"""The builds under test: where their programs are, how much memory they may need, and what a sanitizer reported."""
import functools
import os
import shutil
import subprocess
from pathlib import Path

import shared

ROOT = Path(__file__).resolve().parents[2]


def folders():
    """Where programs are looked for: the folders in SNAPSHOT_BIN_DIR, else the release build, else the debug build."""
    named = os.environ.get("SNAPSHOT_BIN_DIR") or ".build/release:.build/debug"
    return [ROOT / folder for folder in named.split(":")]


def binary(name):
    """A built program: the first of that name."""
    for folder in folders():
        if (folder / name).exists():
            return (folder / name).resolve()
    raise AssertionError(f"no {name} in {folders()}: build first, or set SNAPSHOT_BIN_DIR")


def kind(name="snapshot"):
    """How the program was built: release, debug, asan or tsan."""
    parts = binary(name).parts
    for sanitizer in ("asan", "tsan"):
        if f".build-{sanitizer}" in parts:
            return sanitizer
    return "debug" if "debug" in parts else "release"


def is_sanitized(name="snapshot"):
    return kind(name) in ("asan", "tsan")


def most_memory(released, debug, name="snapshot"):
    """The most KiB that a program may ever need; no limit for builds with a sanitizer."""
    return float("inf") if is_sanitized(name) else emulators_memory() + (debug if kind(name) == "debug" else released)


def is_emulated(name="snapshot"):
    """Whether the program is for another processor than this machine's, and so runs in QEMU."""
    with open(binary(name), "rb") as program:
        return program.read(20)[18:20] == b"\xb7\x00" and os.uname().machine != "aarch64"


@functools.cache
def emulators_memory():
    """What QEMU itself holds beside a program, in KiB: it grows with the code that it has translated."""
    if not is_emulated():
        return 0
    child = subprocess.Popen([binary("snapshot"), "health"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    # `snapshot health` itself needs 9 MiB of that.
    return 2 * (used.ru_maxrss - 9 * 1024)


# Reports: a folder for each worker, so that a report belongs to the test that runs there.

def _reports():
    folder = Path(os.environ[shared.FOLDER]) / "reports" / os.environ.get("PYTEST_XDIST_WORKER", "one")
    if not folder.is_dir():
        folder.mkdir(parents=True)
        # Tests run programs as other users, too.
        for path in (folder, folder.parent, folder.parent.parent):
            path.chmod(0o777)
    return folder


def environment(traced=False):
    """What tells a sanitizer where to report. Leaks can't be looked for in a program that strace follows."""
    if not any(is_sanitized(name) for name in ("snapshot", "snapshot-web") if _exists(name)):
        return {}
    options = f"log_path={_reports() / 'report'}"
    return {"ASAN_OPTIONS": f"{options}:detect_leaks={int(not traced)}", "TSAN_OPTIONS": options, **_preloaded()}


@functools.cache
def _preloaded():
    """Swift's Mutex isn't instrumented: without this library, a lock that a thread had to wait for is reported as a race."""
    built = [binary(name).parent / "swift-mutex.so" for name in ("snapshot", "snapshot-web") if _exists(name) and kind(name) == "tsan"]
    if not built:
        return {}
    assert built[0].exists(), "make build-tsan"
    # The folder of builds may be closed to the other users as whom tests run programs.
    return {"LD_PRELOAD": shutil.copy(built[0], _reports().with_suffix(".so"))}


def _exists(name):
    return any((folder / name).exists() for folder in folders())


def take_reports():
    """What was reported since the last call."""
    if not os.environ.get(shared.FOLDER):
        return ""
    found = sorted(_reports().iterdir())
    text = "\n".join(path.read_text(errors="replace")[:8000] for path in found)
    for path in found:
        path.unlink()
    return text
