"""Where S3's keys come from: profiles, credential_process, roles, AWS IoT; how long borrowed ones are kept."""
import os
import datetime
import itertools
import json
import re
import signal
import ssl
import stat
import sys
from pathlib import Path

import botocore.session
import pytest

import credential_provider
import rgw
import shared
import tls
from credential_provider import CredentialProcess, CredentialProvider
from process import free_port, wait_gone, wait_until
from receiver import Answer, s3_error
from stores import store

pytestmark = pytest.mark.asan

OWN = ("AKIASOURCE0000000001", "sourceSecret/+0123456789")


def key_of(request):
    return re.search(r"Credential=([^/]+)/", request.headers["Authorization"])[1]


def keys_of(endpoint):
    return [key_of(r) for r in endpoint.received]


@pytest.fixture
def s3(ready, endpoint):
    """The program with a store, and without keys."""
    ready.set(**endpoint.as_s3(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, UPLOAD_ATTEMPTS=1))
    (ready.folder / ".aws").mkdir()
    return ready


def config(snapshot, text, credentials=None):
    (snapshot.folder / ".aws/config").write_text(text)
    if credentials is not None:
        (snapshot.folder / ".aws/credentials").write_text(credentials)


@pytest.fixture
def process(s3, tmp_path):
    one = CredentialProcess(tmp_path / "process")
    config(s3, one.profile())
    return one


def shifted(snapshot, offset, *arguments, boot=None, **env):
    """A capture by a clock that is off by so much; with `boot` in a boot of that number, whose clock nobody has compared."""
    env = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1", **env}
    if boot is not None:
        env["SNAPSHOT_BOOT_ID"] = f"{boot + 1:032x}"
    return snapshot.capture(*arguments, prefix=("faketime", "-f", offset), env=env)


def inject(name, what):
    """The prefix by which strace makes each system call `name` end as `what` says."""
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e", f"inject={name}:{what}")


CLOCKS = {"synced": inject("clock_adjtime", "retval=0"), "unknown": inject("clock_adjtime", "error=EPERM")}
"""What the kernel says of its clock: that it is synchronised, or nothing."""


def kept(snapshot):
    path = snapshot.state_folder / "credentials.json"
    return json.loads(path.read_text()) if path.exists() else None


# Profiles, as botocore reads them

CREDENTIALS = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = secretsecret\n"
PROFILES = {
    "keys in the configuration": ("[default]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s\nregion = eu-west-1\n", ""),
    "a profile of both files": ("[profile cam]\nregion=eu-west-2\n", CREDENTIALS.replace("default", "cam")),
    "a name with blanks": ('[profile "cam"]\nregion=eu-west-2\n', CREDENTIALS.replace("default", "cam")),
    "not a profile without the word": ("[cam]\nregion=eu-west-2\n[profile cam]\noutput=json\n", CREDENTIALS.replace("default", "cam")),
    "colons, comments, upper case": (
        "# one\n; two\n[profile cam]\nRegion : eu-north-1\n", "[cam]\nAWS_ACCESS_KEY_ID : AKIACOLON\naws_secret_access_key=a=b:c\n"),
    "what is indented belongs to another": (
        "[profile cam]\ns3 =\n  region = xx-1\n  endpoint_url = http://127.0.0.1:1\nregion = eu-west-3\n", CREDENTIALS.replace("default", "cam")),
    "a section that is indented": ("  [profile cam]\n  region = eu-west-3\n  output = x\n", CREDENTIALS.replace("default", "cam")),
    "keys of the credentials file come before those of the configuration": (
        "[profile cam]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s\n", CREDENTIALS.replace("default", "cam")),
    "the shared file's keys come before a process": ("[profile cam]\ncredential_process={process}\n", CREDENTIALS.replace("default", "cam")),
    "a process comes before the configuration's keys": (
        "[profile cam]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=s\ncredential_process={process}\n", ""),
    "a process in the shared file": ("", "[cam]\ncredential_process = {process} of shared\n"),
    "the shared file's process wins": ("[profile cam]\ncredential_process={process} 1\n", "[cam]\ncredential_process = {process} 2\n"),
    "line breaks of Windows, no end": ("[profile cam]\r\nregion = eu-west-1\r\ncredential_process = {process}", ""),
    "an empty region": ("[profile cam]\nregion =\ncredential_process={process}\n", ""),
}
COMMANDS = [
    "{process} plain words", "{process} 'one word' \"another one\"", '{process} "a \\"quoted\\" word" it\\\'s', "{process} --x='a b'c\"d e\"f",
    "{process} a\\ b \\\\ '\\' \"\\$ \\n\"", "{process} '' \"\" end", '"{process}" é "ü ö" 日本', "{process} $HOME ~ * | ; & # no comment",
    "{process}\n  second line\n  'third line'", "  {process}   many    blanks  ", "lend in PATH",
]


@pytest.fixture
def teller(tmp_path):
    """A program whose key tells with which arguments it was run."""
    path = tmp_path / "programs/lend"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable} -IS\n" + """import hashlib, json, sys
key = "ASIA" + hashlib.sha256(json.dumps(sys.argv[1:]).encode()).hexdigest()[:16]
print(json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": "s" * 40}))
""")
    path.chmod(0o755)
    return path


def compare(s3, endpoint, monkeypatch, teller, profile):
    """Our key and region against those that botocore finds in the same files."""
    path = f"{teller.parent}:{s3.environment['PATH']}"
    s3.environment["PATH"] = path
    for name, value in {"HOME": s3.folder, "PATH": path, "AWS_PROFILE": profile}.items():
        monkeypatch.setenv(name, str(value))
    session = botocore.session.Session()
    theirs = session.get_credentials().access_key, session.get_config_variable("region") or "us-east-1"
    s3.set(AWS_PROFILE=profile).capture().expect(0)
    found = re.search(r"Credential=([^/]+)/\d+/([^/]+)/s3", endpoint.last.headers["Authorization"])
    assert (found[1], found[2]) == theirs


@pytest.mark.parametrize("texts", PROFILES.values(), ids=PROFILES)
def test_profiles_are_read_as_botocore_reads_them(s3, endpoint, monkeypatch, teller, texts):
    texts = [t.replace("{process}", str(teller)) for t in texts]
    config(s3, *texts)
    compare(s3, endpoint, monkeypatch, teller, "cam" if "cam" in texts[0] + texts[1] else "default")


@pytest.mark.parametrize("command", COMMANDS)
def test_words_of_a_process_are_cut_as_botocore_cuts_them(s3, endpoint, monkeypatch, teller, command):
    config(s3, f"[profile cam]\ncredential_process = {command.replace('{process}', str(teller))}\n")
    compare(s3, endpoint, monkeypatch, teller, "cam")


def test_a_profiles_endpoint_and_the_settings_before_it(s3, endpoint):
    s3.set(S3_ENDPOINT_URL=None)
    config(s3, f"[default]\nendpoint_url = {endpoint.url}\nregion = eu-south-1\n", CREDENTIALS)
    s3.capture().expect(0)
    s3.capture(env={"AWS_DEFAULT_REGION": "eu-south-2"}).expect(0)
    s3.capture(env={"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}).expect(75)
    (s3.folder / ".aws/config").rename(s3.folder / "elsewhere")
    s3.capture(env={"AWS_CONFIG_FILE": "elsewhere", "AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "s"}).expect(0)
    regions = [re.search(r"/\d+/([^/]+)/s3", r.headers["Authorization"])[1] for r in endpoint.received]
    assert regions[:2] == ["eu-south-1", "eu-south-2"] and regions[-1] == "eu-south-1" and key_of(endpoint.last) == "AKIAOWN"


ROLE = "[default]\nrole_arn=arn:aws:iam::1:role/one\n"


@pytest.mark.parametrize("text, words", [
    ("[default]\nregion=x\n", "no keys for profile"), ("[profile cam]\nregion=x\n", "no profile 'default'"),
    ("[default]\ncredential_process = /bin/x 'half\n", "an unclosed quote"),
    ("[default]\ncredential_process = ''\n", "no program"), (ROLE, "no source_profile"),
    (ROLE + "source_profile=none\n", "a source_profile names it"), (ROLE + "source_profile=default\n", "leads back"),
    (ROLE + "source_profile=b\n[profile b]\nrole_arn=x\nsource_profile=default\n", "leads back"),
    (ROLE + "source_profile=1\n" + "".join(f"[profile {i}]\nrole_arn=r\nsource_profile={i + 1}\n" for i in range(1, 9)), "roles in a chain"),
    (ROLE + "credential_source=Ec2InstanceMetadata\n", "credential_source, which isn't supported"),
    (ROLE + "web_identity_token_file=/x\n", "web_identity_token_file, which isn't supported"),
    (ROLE + "source_profile=b\nmfa_serial=x\n[profile b]\n", "mfa_serial"),
    (ROLE + "source_profile=b\nduration_seconds=7\n[profile b]\n" + CREDENTIALS[10:], "duration_seconds must be"),
    ("[default]\nsso_session = x\n", "sso_session"), ("[default]\nendpoint_url = ftp://x\n" + CREDENTIALS[10:], "endpoint_url of profile"),
])
def test_profiles_that_are_no_good_are_a_matter_of_settings(s3, camera, endpoint, text, words):
    s3.set(**({"S3_ENDPOINT_URL": None} if "endpoint_url" in text else {}))
    config(s3, text)
    s3.capture().refuses(78, words)
    assert camera.snaps == 0 and not endpoint.received


@pytest.mark.parametrize("config_text, credentials, profile, said, hinted", [
    ("[profile cam]\nregion=x\n", "[base]\naws_access_key_id=AKIABASE\n", "yard", "no profile 'yard' in", "there are 'cam', 'base'; or set"),
    ("[profile b]\n[profile b]\n", "", None, "no profile 'default' in", "there are 'b'; or set"),
    ("[profile yard]\nregion=x\n", "", "yard", "no keys for profile 'yard' in", "write them there, or set"),
    ("", "", "yard", "no profile 'yard' in", "set AWS_ACCESS_KEY_ID"),
])
def test_what_a_profile_lacks_is_said_with_its_files(s3, config_text, credentials, profile, said, hinted):
    config(s3, config_text, credentials)
    run = s3.set(AWS_PROFILE=profile).capture().refuses(78, said, "/.aws/config")
    assert len(run.hints) == 1 and run.hints[0].startswith(hinted), run.hints
    assert "AKIABASE" not in run.stderr


@pytest.mark.parametrize("keys", [{}, {"AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "s"}])
def test_a_configuration_that_is_named_must_be_there(s3, camera, keys):
    s3.set(AWS_CONFIG_FILE="/nowhere/aws.conf", **keys).capture().refuses(78, "/nowhere/aws.conf")
    assert camera.snaps == 0


# credential_process

def test_one_run_of_the_process_serves_many_and_its_keys_are_kept_apart(s3, process, endpoint):
    for _ in range(3):
        s3.capture().expect(0)
    assert process.runs == 1 and keys_of(endpoint) == ["ASIAFIRST00000000001"] * 3
    assert endpoint.last.headers["X-Amz-Security-Token"] == credential_provider.TOKEN
    path = s3.state_folder / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    health = s3.health()
    assert abs(datetime.datetime.fromisoformat(health["credentials"]["end"]).timestamp() - datetime.datetime.now().timestamp() - 3600) < 60
    assert re.search(r"^  credentials +temporary, until \S", s3.run("health").stdout, re.M)
    assert re.search(r"^snapshot_credentials_end_timestamp_seconds\{camera=\"front\"\} 1\d{9}$", s3.run("health", "--prometheus").stdout, re.M)
    for secret in (credential_provider.SECRET, credential_provider.TOKEN, "ASIAFIRST"):
        assert not any(secret.encode() in data for where, data in s3.written() if not where.endswith("credentials.json"))


@pytest.mark.parametrize("seconds", [3600, 310, 290, 100, None])
def test_keys_that_end_soon_serve_several_runs(s3, process, endpoint, seconds):
    """Keys that end soon, or never, serve several runs in a row."""
    process.gives("ASIA2", seconds)
    for _ in range(3):
        s3.capture().expect(0)
    assert process.runs == 1 and keys_of(endpoint) == ["ASIA2"] * 3


@pytest.mark.parametrize("seconds", [-1, -50, -86400 * 400])
def test_keys_that_have_ended_when_they_are_lent(s3, process, camera, endpoint, seconds):
    """A clock that is right refuses them; where it may be wrong, the store is the judge."""
    process.gives("ASIA2", seconds)
    for _ in range(2):
        s3.capture(prefix=CLOCKS["unknown"]).expect(0)
    assert process.runs == 2 and keys_of(endpoint) == ["ASIA2"] * 2
    s3.capture(prefix=CLOCKS["synced"]).refuses(77, "its keys ended at 20", "is the clock right?")
    assert len(endpoint.received) == 2 and s3.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("end, runs", [("2099-01-31T12:00:00+02:00", 1), ("2099-01-31T12:00:00.123456Z", 1), ("2001-01-31T12:00:00-11:30", 2)])
def test_how_an_end_is_written(s3, process, end, runs):
    process.gives("ASIA2", Expiration=end)
    for _ in range(2):
        s3.capture(prefix=CLOCKS["unknown"]).expect(0)
    assert process.runs == runs
    assert datetime.datetime.fromisoformat(kept(s3)["end"] and s3.health()["credentials"]["end"]) == \
        datetime.datetime.fromisoformat(end).replace(microsecond=0)


@pytest.mark.preloads
@pytest.mark.parametrize("later, runs", [("+54m", 1), ("+56m", 2), ("+3h", 2), ("+3d", 2)])
def test_they_are_renewed_five_minutes_before_their_end(s3, process, endpoint, later, runs):
    s3.capture().expect(0)
    process.gives("ASIASECOND", 86400 * 9)
    shifted(s3, later, boot=1).expect(0)
    assert process.runs == runs and keys_of(endpoint)[-1] == ("ASIASECOND" if runs == 2 else "ASIAFIRST00000000001")


@pytest.mark.preloads
def test_old_keys_serve_while_a_renewal_fails(s3, process, endpoint):
    boots = itertools.count()

    def at(later):
        return shifted(s3, later, boot=next(boots))
    s3.capture().expect(0)
    process.does("echo the vault is sealed >&2; exit 3")
    at("+56m").expect(0)
    assert process.runs == 2 and "the vault is sealed" in s3.health()["credentials"]["trouble"]
    assert "not renewed" in s3.run("health").stdout
    at("+56m").expect(0)
    assert process.runs == 2, "not at every run"
    at("+58m").expect(0)
    assert process.runs == 3 and keys_of(endpoint) == ["ASIAFIRST00000000001"] * 4
    at("+61m").refuses(77, "the vault is sealed", "exit status 3")
    process.gives("ASIASECOND", 86400)
    assert len(s3.spooled_pictures()) == 1


@pytest.mark.preloads
def test_without_a_clock_the_stores_time_decides(s3, process, endpoint):
    """By its own clock they would hold for years."""
    endpoint.answers = [Answer(403, {}, s3_error("RequestTimeTooSkewed"))]
    shifted(s3, "-1200d").expect(0)
    process.gives("ASIASECOND", 3600)
    (s3.state_folder / "credentials.json").write_text(json.dumps({**kept(s3), "end": int(datetime.datetime.now().timestamp() * 1000) - 5000}))
    shifted(s3, "-1200d").expect(0)
    assert keys_of(endpoint) == ["ASIAFIRST00000000001"] * 2 + ["ASIASECOND"]


def test_changed_settings_make_new_ones(s3, process, endpoint):
    s3.capture().expect(0)
    config(s3, process.profile(command=f"{process.path} --other"))
    s3.capture().expect(0)
    process.path.write_text(process.path.read_text() + "# mended\n")
    s3.capture().expect(0)
    assert process.runs == 3
    s3.set(AWS_ACCESS_KEY_ID="AKIAOWN", AWS_SECRET_ACCESS_KEY="s").capture().expect(0)
    assert key_of(endpoint.last) == "AKIAOWN" and kept(s3) is None and "credentials" not in s3.health()


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b"[]", b'{"access_key":1}'])
def test_a_damaged_file_is_made_anew(s3, process, damage):
    s3.capture().expect(0)
    (s3.state_folder / "credentials.json").write_bytes(damage)
    s3.capture().expect(0)
    assert process.runs == 2 and kept(s3)["access_key"] == "ASIAFIRST00000000001"


@pytest.mark.parametrize("code, seconds", [
    ("ExpiredToken", 3600), ("ExpiredTokenException", 3600), ("InvalidToken", None), ("InvalidAccessKeyId", None)])
def test_a_store_that_calls_them_expired_gets_others_in_the_same_run(s3, process, camera, endpoint, code, seconds):
    process.gives("ASIAFIRST", seconds)
    s3.capture().expect(0)
    process.gives("ASIASECOND", seconds)
    endpoint.answers = [Answer(400, {}, s3_error(code))]
    s3.capture().expect(0)
    assert process.runs == 2 and keys_of(endpoint) == ["ASIAFIRST", "ASIAFIRST", "ASIASECOND"]
    assert endpoint.last.body == camera.last and not s3.spooled_pictures()
    s3.capture().expect(0)
    assert process.runs == 2


def test_a_store_that_refuses_the_others_too_is_a_refusal(s3, process, endpoint):
    endpoint.always = Answer(400, {}, s3_error("ExpiredToken"))
    s3.capture().refuses(77, "ExpiredToken")
    assert process.runs == 2 and len(endpoint.received) == 2 and len(s3.spooled_pictures()) == 1
    s3.capture().refuses(77, "tried again in")
    assert process.runs == 2 and len(endpoint.received) == 2, "it holds off"


def test_a_drain_over_several_connections_replaces_them_once(s3, process, endpoint):
    s3.capture().expect(0)
    port, s3.settings["S3_ENDPOINT_URL"] = endpoint.url, f"http://127.0.0.1:{free_port()}"
    for _ in range(6):
        s3.capture().expect(75)
    s3.settings["S3_ENDPOINT_URL"] = port
    process.gives("ASIASECOND", 3600)
    before = process.runs
    endpoint.answers = [Answer(200), *[Answer(400, {}, s3_error("ExpiredToken"), wait=0.3)] * 4]
    s3.run("drain", "--transfers", "4").expect(0)
    assert not s3.spooled_pictures() and process.runs == before + 1


FAILURES = {
    "exit": ("echo first; echo 'no token here' >&2; echo 'the vault is sealed' >&2; exit 2", ["exit status 2", "the vault is sealed"]),
    "signal": ("kill -SEGV $$", ["signal 11"]), "nothing": ("true", ["Version 1"]), "no JSON": ("echo hello", ["Version 1"]),
    "another version": ('''echo '{"Version":2,"AccessKeyId":"A","SecretAccessKey":"B"}' ''', ["Version 1"]),
    "no secret": ('''echo '{"Version":1,"AccessKeyId":"A"}' ''', ["SecretAccessKey"]),
    "a line break in the key": ('''echo '{"Version":1,"AccessKeyId":"A\\\\r\\\\nX: y","SecretAccessKey":"B"}' ''', ["Version 1"]),
    "no time": ('''echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","Expiration":"soon"}' ''', ["Expiration"]),
    "too much": ("yes", ["more than 64 KiB"]), "too slow": ("echo waiting >&2; sleep 60", ["longer than 1.0 s", "waiting"]),
}


@pytest.mark.parametrize("does, words", FAILURES.values(), ids=FAILURES)
def test_a_process_that_fails_holds_off_for_a_while(s3, process, camera, endpoint, does, words):
    process.does(does)
    s3.set(UPLOAD_DEADLINE="1s")
    result = s3.capture("--json").expect(77)
    assert result.json["code"] == "store-credential-process" and all(w in result.json["error"] for w in words), result.json
    assert str(process.path) in result.json["error"] and result.wall < 10
    assert s3.spooled_pictures() == [camera.last] and not endpoint.received
    s3.capture().refuses(77, "credential_process failed", "run again in")
    assert process.runs == 1 and len(s3.spooled_pictures()) == 2
    hold_off = s3.state["latches"]["store"]
    assert hold_off["delay_seconds"] <= 600
    assert "credential_process" in s3.run("health").stdout
    process.gives("ASIA2", 600)
    s3.set(UPLOAD_DEADLINE="5s").capture().expect(77)
    config(s3, process.profile(command=f"{process.path} mended"))
    s3.capture().expect(0)
    assert not s3.spooled_pictures()


@pytest.mark.parametrize("command", ["/nowhere/lend", "no-such-program-here", "/etc/hostname", "/tmp"])
def test_a_process_that_cannot_run(s3, camera, command):
    config(s3, f"[default]\ncredential_process = {command} --secret=Canary12345678\n")
    result = s3.capture().refuses(77, command, "executable")
    assert "Canary" not in result.stderr and s3.spooled_pictures() == [camera.last]


@pytest.mark.parametrize("error", ["EAGAIN", "ENOMEM"])
def test_a_board_that_has_no_process_left_refuses_nothing(s3, process, camera, error):
    result = s3.capture("--json", prefix=inject("clone", f"error={error}")).expect(75)
    assert result.json["code"] == "start-credential_process" and "executable" not in result.stderr
    assert s3.spooled_pictures() == [camera.last] and process.runs == 0 and "store" not in s3.state["latches"]
    assert "credential_process" in s3.run("health").stdout
    s3.capture().expect(0)
    assert not s3.spooled_pictures(), "nothing is held off"


@pytest.mark.preloads
def test_the_hold_off_of_a_process_is_ten_minutes_at_most(s3, process):
    process.does("exit 1")
    delays = []
    for boot in range(6):
        shifted(s3, f"+{15 * boot}m", boot=boot).expect(77)
        delays.append(s3.state["latches"]["store"]["delay_seconds"])
    assert delays == [60, 120, 240, 480, 600, 600] and process.runs == 6


def test_what_a_process_gets_and_that_nothing_of_it_stays(s3, process, monkeypatch):
    process.does('env >"$d/env"; ls -l /proc/self/fd >"$d/fds"; sleep 50 & echo $! >"$d/child"; cat "$d/out"')
    s3.set(HTTP_AUTH_TOKEN="CanaryToken123").capture().expect(0)
    seen = (process.folder / "env").read_text()
    assert "Canary" not in seen and "CAMERA" not in seen and f"HOME={s3.folder}" in seen
    assert len((process.folder / "fds").read_text().splitlines()) <= 6
    wait_gone((process.folder / "child").read_text().strip())


def test_a_stop_ends_the_process_and_keeps_the_picture(s3, process, camera):
    process.does("sleep 60")
    run = s3.start("capture", env={"UPLOAD_DEADLINE": "50s"})
    wait_until(lambda: process.runs, what="run of the process")
    run.signal(signal.SIGTERM)
    result = run.result()
    assert result.wall < 10 and s3.spooled_pictures() == [camera.last], result
    process.gives("ASIA2", 600)
    s3.capture().expect(0)
    assert not s3.spooled_pictures(), "nothing is held off"


# Roles

@pytest.fixture
def role(s3):
    def begin(url, more="", source=f"[profile base]\naws_access_key_id={OWN[0]}\naws_secret_access_key={OWN[1]}\n"):
        config(s3, f"[default]\nrole_arn = arn:aws:iam::1:role/camera\nsource_profile = base\n{more}{source}")
        return s3.set(AWS_ENDPOINT_URL_STS=url)
    return begin


@pytest.mark.parametrize("more, fields", [
    ("", {"RoleSessionName": "snapshot"}),
    ("role_session_name = board=7,x\nexternal_id = ext/ernal:1+2\nduration_seconds = 1800\nregion = eu-west-3\n",
     {"RoleSessionName": "board=7,x", "ExternalId": "ext/ernal:1+2", "DurationSeconds": "1800"})])
def test_a_role(role, endpoint, monkeypatch, more, fields):
    with CredentialProvider(credential_provider.sts()) as sts:
        s3 = role(sts.url, more)
        for _ in range(3):
            s3.capture().expect(0)
        asked, = sts.received
        assert asked.fields == {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "arn:aws:iam::1:role/camera", **fields}
        assert asked.key == OWN[0] and asked.is_signed_by(OWN, "eu-west-3" if more else "us-east-1", monkeypatch)
    assert keys_of(endpoint) == ["ASIACAMERA"] * 3 and endpoint.last.headers["X-Amz-Security-Token"] == credential_provider.TOKEN * 40
    assert kept(s3)["holder"].endswith("assumed-role/camera/s") and s3.health()["credentials"]["end"]


def test_a_role_of_a_role_of_a_process(role, endpoint, tmp_path, monkeypatch):
    process = CredentialProcess(tmp_path / "process")
    with CredentialProvider(credential_provider.sts()) as sts:
        s3 = role(sts.url, source="[profile base]\nrole_arn = arn:aws:iam::1:role/first\nsource_profile = lend\n" + process.profile("lend"))
        s3.capture().expect(0)
        s3.capture().expect(0)
        first, second = sts.received
        assert (first.key, second.key) == ("ASIAFIRST00000000001", "ASIAFIRST") and process.runs == 1
        assert first.is_signed_by(("ASIAFIRST00000000001", credential_provider.SECRET, credential_provider.TOKEN), "us-east-1", monkeypatch)
        assert second.headers["x-amz-security-token"] == credential_provider.TOKEN * 40
    assert keys_of(endpoint) == ["ASIACAMERA"] * 2


def test_a_role_whose_own_profile_has_the_keys(s3, endpoint):
    with CredentialProvider(credential_provider.sts()) as sts:
        config(s3, ROLE + "source_profile = default\n", CREDENTIALS)
        s3.set(AWS_ENDPOINT_URL_STS=sts.url).capture().expect(0)
        assert sts.received[0].key == "AKIADEFAULT" and keys_of(endpoint) == ["ASIAONE"]


@pytest.mark.parametrize("answer, code, words", [
    (credential_provider.sts_error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"), 77, ["the role is refused", "sts:AssumeRole"]),
    (credential_provider.sts_error(403, "InvalidClientTokenId"), 77, ["InvalidClientTokenId"]), (credential_provider.sts_error(404, "NoSuchEntity"), 77, ["404"]),
    (credential_provider.sts_error(400, "ValidationError"), 77, ["ValidationError"]), (credential_provider.sts_error(403, "SignatureDoesNotMatch"), 77, ["role_arn"]),
    (credential_provider.sts_error(400, "Throttling"), 75, ["busy"]), (credential_provider.sts_error(500, "InternalFailure"), 75, ["credential service failed"]),
    (credential_provider.sts_error(503, "ServiceUnavailable"), 75, ["busy"]), (lambda _: (200, {}, "<html>sign in</html>"), 75, ["sign-in"]),
    (lambda _: (403, {}, "<html>sign in</html>"), 75, ["sign-in"]), (lambda _: (200, {}, "{}"), 75, ["STS"]),
    (lambda _: (302, {"Location": "http://x/"}, ""), 75, ["redirects"]), (lambda _: (200, {}, "x" * 100_000), 75, ["64 KiB"]),
    (None, 75, ["cannot reach credential service"])], ids=range(14))
def test_a_role_that_is_not_lent(role, camera, endpoint, answer, code, words):
    """A refusal holds off like any other; all else may be the network, and is tried again."""
    with CredentialProvider(answer) as sts:
        s3 = role(sts.url if answer else f"http://127.0.0.1:{free_port()}")
        s3.capture().refuses(code, *words)
        assert s3.spooled_pictures() == [camera.last] and not endpoint.received
        asked = len(sts.received)
        s3.capture().expect(code)
        assert (len(sts.received) > asked) == (code == 75 and answer is not None)
        if code == 77:
            assert s3.state["latches"]["store"]["delay_seconds"] == 600
        sts.answer = credential_provider.sts()
        s3.set(AWS_ENDPOINT_URL_STS=sts.url + "/").capture().expect(0)
    assert not s3.spooled_pictures()


@pytest.mark.preloads
@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"])
def test_a_wrong_clock_is_corrected_by_sts(role, endpoint, code):
    def answer(asked):
        now = datetime.datetime.now(datetime.timezone.utc)
        date = datetime.datetime.strptime(asked.headers["x-amz-date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        head = {"Date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        ok = abs((now - date).total_seconds()) < 300
        status, headers, body = (credential_provider.sts() if ok else credential_provider.sts_error(403, code, "Signature expired"))(asked)
        return status, {**headers, **head}, body
    with CredentialProvider(answer) as sts:
        s3 = role(sts.url)
        shifted(s3, "-20h").expect(0)
        assert len(sts.received) == 2 and len(endpoint.received) == 1
    sent = datetime.datetime.strptime(endpoint.last.headers["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
    assert abs(sent - datetime.datetime.now().timestamp()) < 30
    assert re.search(r"front_(\d{8}T\d{4})", endpoint.last.path)[1] in [
        (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=m)).strftime("%Y%m%dT%H%M") for m in (0, 1)]


def test_a_role_of_rgw(ready, tmp_path):
    """The STS is Ceph's, a real one."""
    with store("rgw", tmp_path) as s:
        arn = rgw.role(s.server, f"camera-{s.bucket.name}")
        (ready.folder / ".aws").mkdir()
        config(ready, f"[default]\nrole_arn = {arn}\nsource_profile = base\nrole_session_name = board-1\n",
               "[base]\naws_access_key_id = {}\naws_secret_access_key = {}\n".format(*rgw.BORROWER))
        ready.set(**s.settings).set(S3_ENDPOINT_URL=s.server["sts"], AWS_ENDPOINT_URL_STS=s.server["sts"], AWS_ACCESS_KEY_ID=None,
                                    AWS_SECRET_ACCESS_KEY=None)
        for _ in range(2):
            ready.capture().expect(0)
        assert len(s.pictures()) == 2 and "assumed-role" in kept(ready)["holder"]
        told = ready.run("check", "--json").json["checks"]
        mine, = (c for c in told if c["name"] == "credentials")
        assert mine["result"] == "passed" and "board-1" in mine["found"] and mine["facts"]["end"]
        config(ready, f"[default]\nrole_arn = {arn}-none\nsource_profile = base\n")
        ready.capture().refuses(77, "role")


# AWS IoT

@pytest.fixture
def authority(tmp_path):
    return tls.Authority(tmp_path)


def as_iot(s3, provider, authority, folder, **how):
    certificate, key = tls.client(authority, folder, **how)
    return s3.set(AWS_IOT_CREDENTIAL_ENDPOINT=f"127.0.0.1:{provider.port}", AWS_IOT_ROLE_ALIAS="camera-alias@1",
                  AWS_IOT_THING_NAME="board-7", AWS_IOT_CERT=certificate, AWS_IOT_KEY=key, AWS_CA_BUNDLE=authority.certificate)


@pytest.mark.parametrize("version, kind", [
    (ssl.TLSVersion.TLSv1_2, "rsa2048"), (ssl.TLSVersion.TLSv1_2, "p256"), (ssl.TLSVersion.TLSv1_3, "p384")])
def test_iot(s3, endpoint, authority, tmp_path, version, kind):
    with CredentialProvider(credential_provider.iot(), ssl=tls.server(authority, version)) as provider:
        as_iot(s3, provider, authority, tmp_path, key=tls.KINDS[kind]())
        for _ in range(2):
            s3.capture().expect(0)
        asked, = provider.received
        assert (asked.method, asked.path, asked.peer) == ("GET", "/role-aliases/camera-alias%401/credentials", "board")
        assert asked.headers["x-amzn-iot-thingname"] == "board-7"
        told = s3.run("check", "--json").json["checks"]
        mine, = (c for c in told if c["name"] == "credentials")
        assert "camera-alias@1" in mine["found"] and "board-7" in mine["found"] and len(provider.received) == 2
    assert keys_of(endpoint)[:2] == ["ASIAIOT0000000000001"] * 2 and kept(s3)["holder"]


@pytest.mark.parametrize("name", ["aws_iot_key", "aws-iot-key"])
def test_iot_with_a_key_that_systemd_hands_over(s3, endpoint, authority, tmp_path, name):
    with CredentialProvider(credential_provider.iot(), ssl=tls.server(authority)) as provider:
        as_iot(s3, provider, authority, tmp_path)
        (tmp_path / "handed").mkdir()
        (tmp_path / "client.key").rename(tmp_path / "handed" / name)
        s3.set(AWS_IOT_KEY=None, CREDENTIALS_DIRECTORY=tmp_path / "handed").capture().expect(0)
    assert keys_of(endpoint) == ["ASIAIOT0000000000001"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("case, words", [
    ("expired", "expired"), ("of another authority", "client certificate"), ("another key", "doesn't belong"), ("no certificate", "AWS_IOT_CERT")])
def test_a_device_certificate_that_is_no_good(s3, camera, endpoint, authority, tmp_path, version, case, words):
    stranger = tls.KINDS["p256"]()
    with CredentialProvider(credential_provider.iot(), ssl=tls.server(authority, version)) as provider:
        as_iot(s3, provider, authority, tmp_path, days=(-10, -5) if case == "expired" else (-10, 10),
               issuer=stranger if case == "of another authority" else None)
        if case == "another key":
            tls._write(tmp_path / "client.key", key=stranger)
        if case == "no certificate":
            (tmp_path / "client.pem").write_text("nothing\n")
        result = s3.capture()
        # What the server refuses may only show as a connection that it closes.
        is_refused = case in ("expired", "of another authority") and "closes the connection" in result.stderr
        assert is_refused or words in result.stderr and "AWS_IOT_CERT" in result.stderr, result.stderr
        assert result.code == (75 if is_refused else 77)
        assert "HTTP_CLIENT" not in result.stderr or result.code == 75
        assert s3.spooled_pictures() == [camera.last] and not endpoint.received and not provider.received


@pytest.mark.parametrize("answer, code, words", [
    ((403, '{"message":"Access Denied by policy"}'), 77, ["Access Denied by policy", "AWS_IOT_ROLE_ALIAS"]),
    ((404, '{"message":"Role alias does not exist"}'), 77, ["does not exist"]), ((400, "{}"), 77, ["400"]),
    ((500, ""), 75, ["credential service failed"]), ((503, ""), 75, ["busy"]), ((429, ""), 75, ["busy"]),
    ((200, "<html>sign in"), 75, ["sign-in"]), ((200, '{"credentials":{}}'), 75, ["AWS IoT"]), (None, 75, ["cannot reach"])], ids=range(9))
def test_keys_that_iot_does_not_lend(s3, camera, endpoint, authority, tmp_path, answer, code, words):
    with CredentialProvider(lambda _: (answer[0], {}, answer[1]), ssl=tls.server(authority)) as provider:
        as_iot(s3, provider, authority, tmp_path)
        if not answer:
            s3.set(AWS_IOT_CREDENTIAL_ENDPOINT=f"127.0.0.1:{free_port()}")
        s3.capture().refuses(code, *words)
        asked = len(provider.received)
        s3.capture().expect(code)
        assert (len(provider.received) > asked) == (code == 75 and answer is not None)
    assert s3.spooled_pictures()[:1] == camera.served[:1] and not endpoint.received


@pytest.mark.parametrize("change, words", [
    ({"AWS_IOT_CREDENTIAL_ENDPOINT": None}, "needs AWS_IOT_CREDENTIAL_ENDPOINT"), ({"AWS_IOT_ROLE_ALIAS": None}, "AWS_IOT_ROLE_ALIAS is not set"),
    ({"AWS_IOT_CERT": None}, "AWS_IOT_CERT is not set"), ({"AWS_IOT_CERT": "/nowhere.pem"}, "No such file"),
    ({"AWS_IOT_KEY": "/nowhere.key"}, "AWS_IOT_KEY"), ({"AWS_IOT_CREDENTIAL_ENDPOINT": "http://x"}, "must be a host"),
    ({"AWS_IOT_CREDENTIAL_ENDPOINT": "x/y"}, "must be a host"), ({"AWS_IOT_THING_NAME": "a b"}, "without spaces"),
    ({"AWS_ACCESS_KEY_ID": "AKIAX", "AWS_SECRET_ACCESS_KEY": "s"}, "one or the other")])
def test_iot_settings_that_do_not_go_together(s3, camera, authority, tmp_path, change, words):
    with CredentialProvider(credential_provider.iot(), ssl=tls.server(authority)) as provider:
        as_iot(s3, provider, authority, tmp_path).set(**change).capture().refuses(78, words)
    assert camera.snaps == 0


# docs/recipes/credentials.md

PAGE = (Path(__file__).resolve().parents[3] / "docs/recipes/credentials.md").read_text()
PROFILES_OF_PAGE = [block for block in re.findall(r"```ini\n(.*?)```", PAGE, re.S) if "[default]" in block]


@pytest.mark.parametrize("block", PROFILES_OF_PAGE, ids=range(len(PROFILES_OF_PAGE)))
def test_the_pages_profiles(s3, endpoint, teller, tmp_path, block):
    path = tmp_path / "aws.conf"
    path.write_text(re.sub(r"/usr/local/bin/[\w-]+", str(teller), block))
    with CredentialProvider(credential_provider.sts()) as sts:
        s3.set(AWS_CONFIG_FILE=path, AWS_ENDPOINT_URL_STS=sts.url).capture().expect(0)
        assert len(sts.received) == block.count("role_arn")
    assert key_of(endpoint.last).startswith("ASIA") and "/eu-central-1/s3/" in endpoint.last.headers["Authorization"]


def test_the_pages_settings_for_iot(s3, endpoint, authority, tmp_path):
    block, = (b for b in re.findall(r"```sh\n(.*?)```", PAGE, re.S) if "AWS_IOT" in b)
    certificate, key = tls.client(authority, tmp_path)
    with CredentialProvider(credential_provider.iot(), ssl=tls.server(authority)) as provider:
        text = block.replace("YOUR-ID.credentials.iot.eu-central-1.amazonaws.com", f"127.0.0.1:{provider.port}")
        path = tmp_path / "recipe.env"
        path.write_text(text.replace("/etc/snapshot/board.pem", str(certificate)).replace("/etc/snapshot/board.key", str(key)))
        s3.set(AWS_CA_BUNDLE=authority.certificate, S3_BUCKET=None).run("capture", "--config", path).expect(0)
        assert provider.received[0].path == "/role-aliases/YOUR-ALIAS/credentials"
    assert endpoint.last.path.startswith("/YOUR-BUCKET/")


def test_the_pages_script_for_vault(s3, endpoint, tmp_path):
    script, = (b for b in re.findall(r"```sh\n(.*?)```", PAGE, re.S) if b.startswith("#!/bin/sh"))
    programs = tmp_path / "programs"
    programs.mkdir()
    (tmp_path / "token").write_text("hvs.token\n")
    for name, text in {"vault-keys": script.replace("/run/vault/token", f"{tmp_path}/token"), "vault": VAULT, "jq": JQ}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    s3.environment["PATH"] = f"{programs}:{s3.environment['PATH']}"
    config(s3, "[default]\ncredential_process = vault-keys\n")
    s3.capture().expect(0)
    assert key_of(endpoint.last) == "ASIAVAULT"


VAULT = """#!/bin/sh
[ "$VAULT_TOKEN" = hvs.token ] && [ "$*" = "read -format=json aws/sts/camera" ] || exit 9
echo '{"lease_duration":3599,"data":{"access_key":"ASIAVAULT","secret_key":"s/+","security_token":"t"}}'
"""
# Stands for the real one, and knows this one filter.
JQ = f"#!{sys.executable} -IS\n" + """import json, sys, time
given, wanted = json.load(sys.stdin), sys.argv[1]
assert "".join(wanted.split()) == ("{Version:1,AccessKeyId:.data.access_key,SecretAccessKey:.data.secret_key,"
                                   "SessionToken:.data.security_token,Expiration:(now+.lease_duration|todate)}")
data = given["data"]
end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + given["lease_duration"]))
print(json.dumps({"Version": 1, "AccessKeyId": data["access_key"], "SecretAccessKey": data["secret_key"],
                  "SessionToken": data["security_token"], "Expiration": end}, indent=2))
"""


# `snapshot check`, and what runs without these settings read

def test_check_tries_the_process_and_keeps_nothing(s3, process, endpoint):
    told = s3.run("check", "--json").json["checks"]
    mine, = (c for c in told if c["name"] == "credentials")
    assert str(process.path) in mine["found"] and mine["facts"]["end"] and process.runs == 1 and kept(s3) is None
    process.does("echo sealed >&2; exit 1")
    result = s3.run("check")
    assert result.code == 77 and "sealed" in result.stdout + result.stderr
    s3.capture().expect(77)
    process.gives("ASIA2", 3600)
    s3.run("check").expect(0)
    s3.capture().expect(0)
    assert process.runs == 5, "check has ended the hold-off"


def test_who_has_keys_and_a_region_reads_no_other_file(ready, endpoint, tmp_path):
    (ready.folder / ".aws").mkdir()
    config(ready, "[default]\nregion=x\n", CREDENTIALS)
    log = tmp_path / "trace"
    ready.set(**endpoint.as_s3(AWS_REGION="us-east-1")).capture(prefix=("strace", "-f", "-o", log, "-e", "trace=file")).expect(0)
    assert ".aws" not in log.read_text() and "credentials.json" not in log.read_text()
    ready.set(AWS_REGION=None).capture(prefix=("strace", "-f", "-o", log, "-e", "trace=file")).expect(0)
    assert ".aws/config" in log.read_text() and ".aws/credentials" not in log.read_text()


@pytest.mark.parametrize("words", [
    "boom SecretAccessKey=SEKRITvalue0123456789 token: SEKRITtoken", '{"Version":1,"SecretAccessKey":"SEKRIT/value+0123456789","SessionToken":"SEKRITx"}',
    "using SEKRIT0123456789abcdef"])
def test_what_looks_like_a_key_in_its_words_is_hidden_and_no_word_is_kept(s3, process, words):
    process.does(f"echo '{words}' >&2; exit 3")
    done = s3.capture().refuses(77, "exit status 3")
    health = s3.run("health", "--json").stdout + s3.run("health").stdout
    state = b"".join(p.read_bytes() for p in (s3.folder / "state").rglob("*") if p.is_file())
    assert "SEKRIT" not in done.stderr + health and b"SEKRIT" not in state
    assert "it said" in done.stderr and "it said" not in health


def test_a_pipe_in_the_place_of_a_key_holds_up_no_run(s3, authority, tmp_path):
    os.mkfifo(tmp_path / "key.fifo")
    certificate, _ = tls.client(authority, tmp_path)
    s3.set(AWS_IOT_CREDENTIAL_ENDPOINT="127.0.0.1:9", AWS_IOT_ROLE_ALIAS="a", AWS_IOT_CERT=certificate, AWS_IOT_KEY=tmp_path / "key.fifo")
    s3.capture().refuses(78, "AWS_IOT_KEY", "regular file")
    s3.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL="https://127.0.0.1:9/", HTTP_CLIENT_CERT=certificate, HTTP_CLIENT_KEY=tmp_path / "key.fifo")
    s3.capture().refuses(78, "HTTP_CLIENT_KEY", "regular file")
