"""A camera that is a program: CAMERA_URL=exec:/path/to/program ARGUMENTS."""
import json
import os
import shlex
import signal
import sys
import time

import pytest

from checking import check  # noqa: F401 a fixture
from pictures import picture
from process import is_gone, wait_gone, wait_until
from program import memory_limit

pytestmark = pytest.mark.asan

SECRETS = {
    "CAMERA_PASSWORD": "CanaryCameraPassword", "AWS_SECRET_ACCESS_KEY": "CanaryAWSSecret", "AWS_ACCESS_KEY_ID": "CanaryAWSKey",
    "AWS_SESSION_TOKEN": "CanaryAWSToken", "HTTP_AUTH_TOKEN": "CanaryHTTPToken", "WEB_TOKEN": "CanaryWebToken0123456789",
}
ARGUMENT = "CanaryArgument"


class Program:
    """A program that a test writes: a shell script, or one in another language."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "a camera"
        self.jpeg = folder / "picture.jpg"
        self.body = picture()
        self.jpeg.write_bytes(self.body)

    def script(self, text, interpreter="/bin/sh", mode=0o755):
        """Writes it; `PICTURE` in the text prints one. Returns the address, without arguments."""
        text = text.replace("PICTURE", f"cat {shlex.quote(str(self.jpeg))}")
        self.path.write_text(f"#!{interpreter}\n{text}\n")
        self.path.chmod(mode)
        return f"exec:'{self.path}'"

    def python(self, text):
        lines = f"import json, os, signal, sys, time\npicture = open({str(self.jpeg)!r}, 'rb').read()\n"
        return self.script(lines + text, sys.executable)

    def read(self, name):
        return (self.folder / name).read_text()


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


# Pictures

def test_what_it_prints_is_the_picture(snapshot, program):
    snapshot.set(CAMERA_URL=program.script("PICTURE")).capture().expect(0)
    assert list(snapshot.stored().values()) == [program.body]


@pytest.mark.parametrize("size", [20_000, 3_000_000])
def test_a_picture_in_pieces(snapshot, program, size):
    program.body = picture(size=size)
    program.jpeg.write_bytes(program.body)
    snapshot.set(CAMERA_URL=program.python("""
for at in range(0, len(picture), len(picture) // 7):
    os.write(1, picture[at:at + len(picture) // 7])
    time.sleep(0.05)
""")).capture().expect(0)
    assert list(snapshot.stored().values()) == [program.body]


@pytest.mark.parametrize("size, limit, code", [(90_000, "64K", 69), (60_000, "64K", 0), (17 << 20, None, 69), (17 << 20, "18M", 0)])
def test_the_largest_picture(snapshot, program, size, limit, code):
    program.jpeg.write_bytes(picture(size=size))
    told = snapshot.set(CAMERA_URL=program.script("PICTURE"), CAMERA_MAX_BYTES=limit).capture().expect(code)
    assert not code or "CAMERA_MAX_BYTES" in told.hints[0]


@pytest.mark.parametrize("text, words", [
    (":", "printed no picture"), ("echo hello there", "isn't a JPEG|too few bytes|are too few"),
    ("PICTURE | head -c 2000", "cut short"), ("echo '<html>no camera</html>'", "HTML"), ("echo '{}'", "JSON"),
], ids=["nothing", "text", "cut", "page", "json"])
def test_what_is_no_picture(snapshot, program, text, words):
    told = snapshot.set(CAMERA_URL=program.script(text)).capture().refuses(69, "a camera")
    assert any(word in told.stderr for word in words.split("|")) and not snapshot.stored()
    assert snapshot.health()["capture_failures"] == 1


def test_one_after_the_other(snapshot, program):
    snapshot.set(CAMERA_URL=program.script("PICTURE"), FROZEN_AFTER="0").run("capture", "--every", "1s", "--for", "3s").expect(0)
    assert len(snapshot.stored()) == 3


# Arguments

@pytest.mark.parametrize("text, arguments", [
    ("", []), (" one  two", ["one", "two"]), (" 'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
    (" '' \"\"", ["", ""]), (" \"it's\" 'say \"x\"' \"q\\\"q\\\\\"", ["it's", 'say "x"', 'q"q\\']),
    (" $HOME `id` $(id) * ~ | > ; & {a,b}", ["$HOME", "`id`", "$(id)", "*", "~", "|", ">", ";", "&", "{a,b}"]),
    (" -w 640 --url=http://u:p@h/?q=1&r=2", ["-w", "640", "--url=http://u:p@h/?q=1&r=2"]), (" ü 日本 'é è'", ["ü", "日本", "é è"]),
    (" " + "x" * 3000, ["x" * 3000]),
])
@pytest.mark.parametrize("origin", ["environment", "file"])
def test_arguments_come_as_they_are_meant(snapshot, program, text, arguments, origin):
    url = program.python(f"json.dump(sys.argv[1:], open({str(program.folder / 'arguments')!r}, 'w'))\nos.write(1, picture)") + text
    if origin == "file":
        snapshot.dotenv(f"CAMERA_URL={url}\n")
    else:
        snapshot.set(CAMERA_URL=url)
    snapshot.capture().expect(0)
    assert json.loads(program.read("arguments")) == arguments


@pytest.mark.parametrize("text", ["'/bin/echo", '/bin/echo "x', "/bin/echo x\\", "", " ", "bin/echo x", "echo", "~/camera", "''", "./x"])
def test_addresses_that_cannot_be(snapshot, text):
    told = snapshot.set(CAMERA_URL=f"exec:{text}").capture().refuses(78, "CAMERA_URL")
    assert not (snapshot.folder / "state").exists() and len(told.errors) == 1


@pytest.mark.parametrize("byte", ["\0", "\x1b", "\t", "\x7f"])
def test_control_characters_are_refused(snapshot, byte):
    told = snapshot.dotenv(f"CAMERA_URL=exec:/bin/echo{byte}{ARGUMENT} '{ARGUMENT}'\n").capture().refuses(78)
    assert ARGUMENT not in told.stderr and byte.replace("\t", "\x1b") not in told.stderr


# What it gets

def test_it_gets_no_secret_and_no_descriptor(snapshot, program):
    snapshot.set(**SECRETS, CREDENTIALS_DIRECTORY=program.folder, STORAGE_BACKEND="filesystem")
    snapshot.set(CAMERA_URL=program.python(f"""
facts = {{"environment": dict(os.environ), "descriptors": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
         "input": sys.stdin.read(), "group": os.getpgrp() == os.getpid(), "blocked": len(signal.pthread_sigmask(signal.SIG_BLOCK, []))}}
json.dump(facts, open({str(program.folder / "facts")!r}, "w"))
os.write(1, picture)""")).capture().expect(0)
    facts = json.loads(program.read("facts"))
    allowed = {"PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "TZ", "LC_CTYPE"}
    assert set(facts["environment"]) <= allowed and "Canary" not in json.dumps(facts)
    assert facts["descriptors"] == [0, 1, 2] and facts["input"] == "" and facts["group"] and facts["blocked"] == 0


# Failures

@pytest.mark.parametrize("end, words", [
    ("exit 1", "exit status 1"), ("exit 3", "exit status 3"), ("exit 255", "exit status 255"), ("no-such-program-here", "exit status 127"),
    ("kill -SEGV $$", "signal 11"), ("kill -9 $$", "signal 9"),
])
@pytest.mark.parametrize("prints", [True, False], ids=["picture", "nothing"])
def test_how_it_ended_is_told_with_its_last_words(snapshot, program, end, words, prints):
    text = f"{'PICTURE' if prints else ':'}; echo first >&2; echo 'the lens is gone' >&2; {end}"
    told = snapshot.set(CAMERA_URL=program.script(text)).capture().refuses(69, "a camera", words)
    last = "not found" if "no-such" in end else "the lens is gone"
    assert last in told.errors[0] and "first" not in told.errors[0] and not snapshot.stored()


def test_last_words_are_bounded_and_cannot_speak_to_a_terminal(snapshot, program):
    text = "head -c 3000000 /dev/zero | tr '\\0' x >&2; printf '\\033]0;title\\007\\033[31m\\302\\233mend' >&2; exit 9"
    told = snapshot.set(CAMERA_URL=program.script(text)).capture().refuses(69, "exit status 9")
    assert len(told.stderr) < 1000 and "end" in told.errors[0] and told.rss < memory_limit()
    assert not any(ord(c) < 32 and c != "\n" or 0x7F <= ord(c) < 0xA0 for c in told.stderr)


@pytest.mark.parametrize("text", [
    "echo 'login of me with CanaryCameraPassword failed' >&2; exit 1", "echo \"unknown: $1 $2\" >&2; exit 1",
    "echo \"$2\" >&2; sleep 60", "echo \"$1\"; echo \"$1\" >&2", "echo 'GET http://me:CanaryURL@h/x?key=CanaryQuery' >&2; exit 1",
], ids=["password", "arguments", "deadline", "printed", "url"])
def test_secrets_are_in_nothing_that_is_left(snapshot, program, text):
    url = program.script(text) + f" {ARGUMENT} --password={ARGUMENT}2"
    snapshot.set(**SECRETS, CAMERA_URL=url, CAMERA_TIMEOUT="1s")
    results = [snapshot.capture("--verbose").expect(69), snapshot.run("health"), snapshot.run("check"), snapshot.run("settings")]
    assert "a camera" in results[0].errors[0]
    for result in results:
        assert "Canary" not in result.stdout + result.stderr
    for where, data in snapshot.written():
        assert b"Canary" not in data, where


@pytest.mark.parametrize("make, words", [
    (lambda p: p.script("PICTURE", mode=0o644), "Permission denied"),
    (lambda p: p.script("PICTURE", interpreter="/no/such/interpreter"), "No such file"),
    (lambda p: f"exec:{p.folder}/none {ARGUMENT}", "No such file"),
    (lambda p: f"exec:{p.folder} {ARGUMENT}", "isn't a file"),
    (lambda p: f"exec:{p.jpeg}", "Permission denied"),
    (lambda p: p.jpeg.chmod(0o755) or f"exec:{p.jpeg}", "Exec format error"),
    (lambda p: os.mkfifo(p.folder / "pipe", 0o755) or f"exec:{p.folder}/pipe", "isn't a file"),
], ids=["mode", "interpreter", "missing", "folder", "picture", "no-program", "pipe"])
def test_what_cannot_be_run(snapshot, program, make, words):
    told = snapshot.set(CAMERA_URL=make(program)).capture().refuses(69, "cannot run camera program", words)
    assert "executable by the service's user" in told.hints[0] and ARGUMENT not in told.stderr
    assert snapshot.health()["last_error"] == "camera-file"


# Time

@pytest.mark.parametrize("text, words", [
    ("sleep 60", "CAMERA_TIMEOUT (1s)"), ("PICTURE; sleep 60", "CAMERA_TIMEOUT (1s)"),
    ("echo waiting for the sun >&2; sleep 60", "waiting for the sun"), ("exec >&- 2>&-; sleep 60", "CAMERA_TIMEOUT (1s)"),
    ("while :; do printf x; sleep 0.05; done", "CAMERA_TIMEOUT (1s)"), ("while :; do echo x >&2; done", "CAMERA_TIMEOUT (1s)"),
], ids=["silent", "does-not-end", "words", "closed", "drips", "loud"])
def test_a_program_that_takes_too_long(snapshot, program, text, words):
    url = program.script(f"echo $$ >{shlex.quote(str(program.folder))}/pid; {text}")
    told = snapshot.set(CAMERA_URL=url, CAMERA_TIMEOUT="1s").capture().refuses(69, words)
    assert told.wall < 5 and not snapshot.stored() and is_gone(program.read("pid").strip())
    assert snapshot.health()["last_error"] == "camera-timeout"


def test_a_program_that_prints_without_end(snapshot, program):
    told = snapshot.set(CAMERA_URL=program.script("PICTURE; yes"), CAMERA_TIMEOUT="60s").capture().refuses(69, "never ends")
    assert told.wall < 20 and told.rss < memory_limit() + (16 << 10)


def test_it_is_asked_to_end_and_then_killed_with_its_group(snapshot, program):
    where = shlex.quote(str(program.folder))
    url = program.script(f"trap 'echo asked >{where}/asked' TERM; sleep 300 & echo $! >{where}/child; while :; do sleep 0.1; done")
    told = snapshot.set(CAMERA_URL=url, CAMERA_TIMEOUT="1s").capture().refuses(69)
    assert told.wall < 8 and program.read("asked") == "asked\n"
    wait_gone(program.read("child").strip())


def test_a_program_that_ends_on_sigterm_is_waited_for(snapshot, program):
    where = shlex.quote(str(program.folder))
    url = program.script(f"trap 'sleep 0.2; echo shut >{where}/lens; exit 0' TERM; while :; do sleep 0.05; done")
    snapshot.set(CAMERA_URL=url, CAMERA_TIMEOUT="1s").capture().refuses(69)
    assert program.read("lens") == "shut\n"


@pytest.mark.parametrize("start", ["sleep 300", "setsid sleep 20", "sh -c 'trap \"\" TERM HUP; sleep 300'"], ids=["child", "session", "stubborn"])
def test_a_child_that_is_left_behind_holds_nothing_up(snapshot, program, start):
    where = shlex.quote(str(program.folder))
    url = program.script(f"{start} & echo $! >{where}/child; PICTURE")
    told = snapshot.set(CAMERA_URL=url, CAMERA_TIMEOUT="60s").capture().expect(0)
    assert told.wall < 15 and list(snapshot.stored().values()) == [program.body]
    if "setsid" not in start:
        wait_gone(program.read("child").strip())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_run_ends_the_program_and_its_children(snapshot, program, number):
    where = shlex.quote(str(program.folder))
    url = program.script(f"sleep 300 & echo $$ $! >{where}/part; mv {where}/part {where}/pids; wait")
    run = snapshot.set(CAMERA_URL=url, CAMERA_TIMEOUT="60s").start("capture")
    wait_until((program.folder / "pids").exists, 20, "start of the program")
    started = time.monotonic()
    os.kill(run.pid, number)
    assert run.result(20).code == -number and time.monotonic() - started < 10
    for pid in program.read("pids").split():
        wait_gone(pid)


# Check and relay

def test_check_tries_it_and_says_what_it_is(check, program):
    found = check(CAMERA_URL=program.script("PICTURE") + f" {ARGUMENT}")
    assert found.code == 0 and found["camera"]["found"] == f"{program.path} is a program"
    assert found["picture"]["facts"]["width"] == 640 and "codec" not in found
    found = check(CAMERA_URL=program.script("echo no film >&2; exit 4"))
    assert found.code == 69 and "exit status 4; it said: no film" in found["camera"]["found"]
    assert check(CAMERA_URL="exec:/no/program").failed == ["camera"]
    assert ARGUMENT not in found.result.stdout


def test_the_relay_wants_video(snapshot, program):
    told = snapshot.set(CAMERA_URL=program.script("PICTURE"), STREAM_MODE="hls").run("relay").refuses(78, "CAMERA_URL", "a program has none")
    assert "rtsp://" in told.hints[0] and not (snapshot.folder / "stream_output").exists()
    # Captures go on: only the relay needs STREAM_MODE.
    snapshot.capture().expect(0)


def test_the_settings_show_the_program_alone(snapshot, program):
    snapshot.set(CAMERA_URL=f"exec:/usr/local/bin/grab --key={ARGUMENT} http://u:{ARGUMENT}@h/")
    told = snapshot.run("settings", "--json", "CAMERA_URL").expect(0)
    assert [one["value"] for one in told.json] == ["exec:/usr/local/bin/grab ***"] and ARGUMENT not in told.stdout


@pytest.mark.parametrize("error", ["EAGAIN", "ENOMEM"])
def test_a_board_that_has_no_process_left(snapshot, program, error):
    """It isn't the program's fault, so nothing is said of its rights."""
    snapshot.set(CAMERA_URL=program.script("PICTURE"))
    prefix = ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=clone", "-e", f"inject=clone:error={error}")
    told = snapshot.capture(prefix=prefix).refuses(69, "cannot run camera program", "fork: ")
    assert "executable" not in told.stderr
    snapshot.capture().expect(0)
