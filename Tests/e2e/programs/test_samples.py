"""What pages show as code does what they say, on pictures that the program has stored."""
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from datetime import datetime
from urllib.parse import quote_plus

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

import builds
import rgw
import seaweed
import shared
from bucket import Bucket, client
from builds import ROOT

pytestmark = pytest.mark.skipif(builds.is_sanitized(), reason="it is about pages")


def blocks(page, language):
    """The code of that language in a page, with the nearest heading above it."""
    text = (ROOT / "docs" / page).read_text()
    heading = ""
    found = {}
    for part in re.finditer(r"^#+ ([^\n]*)$|^```(\w+)\n(.*?)^```", text, re.M | re.S):
        if part[1]:
            heading = part[1]
        elif part[2] == language:
            found.setdefault(heading, []).append(part[3])
    return found


def changed(code, **changes):
    """The code with each old text replaced by its new one; each old text has to occur. `changes`: name=(old, new)."""
    for old, new in changes.values():
        assert old in code, old
        code = code.replace(old, str(new))
    return code


def run_python(code, **environment):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60,
                          env={"PATH": os.environ["PATH"], **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def day_of(key):
    """How the page writes the day in which a key lies."""
    return "date({}, {}, {})".format(*map(int, re.search(r"/(\d{4})/(\d\d)/(\d\d)/", key).groups()))


DAY = "date(2026, 1, 21)"


@pytest.fixture(scope="module")
def s3():
    """An S3 server, and its owner's keys as boto3 finds them."""
    server = shared.server("seaweed", seaweed.start)
    return server, {"AWS_ENDPOINT_URL": server["http"], "AWS_ACCESS_KEY_ID": server["owner"][0],
                    "AWS_SECRET_ACCESS_KEY": server["owner"][1], "AWS_DEFAULT_REGION": server["region"], "HOME": "/nonexistent"}


@pytest.fixture
def in_s3(ready, s3):
    server, _ = s3
    prefix = f"p-{secrets.token_hex(4)}/"
    return ready.set(STORAGE_BACKEND="s3", S3_BUCKET=server["bucket"], S3_PREFIX=prefix, S3_ENDPOINT_URL=server["http"],
                     AWS_REGION=server["region"], AWS_ACCESS_KEY_ID=server["camera"][0], AWS_SECRET_ACCESS_KEY=server["camera"][1])


def test_a_day_from_a_folder(ready):
    outcomes = [ready.capture("--json").expect(0).json for _ in range(3)]
    code, = blocks("reading.md", "python")["A day from a folder"]
    told = run_python(changed(code, folder=("/var/lib/snapshot/snapshots", ready.folder / "snapshots"),
                              day=(DAY, day_of("/" + outcomes[0]["key"]))))
    same_day = [one for one in outcomes if day_of("/" + one["key"]) == day_of("/" + outcomes[0]["key"])]
    assert [line.split()[1:] for line in told] == [[str(one["bytes"]), one["key"].split("/")[-1]] for one in same_day]
    for line, one in zip(told, same_day, strict=True):
        assert datetime.fromisoformat(line.split()[0]) == datetime.fromisoformat(one["captured_at"].replace("Z", "+00:00"))


def test_a_day_as_a_film(ready):
    keys = [ready.capture("--json").expect(0).json["key"] for _ in range(3)]
    folder = ready.folder / "snapshots" / keys[0].rpartition("/")[0]
    code, = blocks("reading.md", "sh")["A day from a folder"]
    subprocess.run(["sh", "-ec", changed(code, folder=("/var/lib/snapshot/snapshots/front/2026/01/21", folder))],
                   cwd=ready.folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    frames = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0",
                             ready.folder / "day.mp4"], capture_output=True, text=True, check=True).stdout
    assert int(frames) == len(list(folder.glob("*.jpg")))


def test_a_day_from_s3(in_s3, s3):
    server, environment = s3
    outcomes = [in_s3.capture("--json").expect(0).json for _ in range(3)]
    prefix = in_s3.settings["S3_PREFIX"]
    code, = blocks("reading.md", "python")["A day from S3"]
    day = day_of("/" + outcomes[0]["key"])
    told = run_python(changed(code, bucket=("YOUR-BUCKET", server["bucket"]), prefix=('"snapshots/"', f'"{prefix}"'), day=(DAY, day)),
                      **environment)
    expected = [f"{one['captured_at']} {one['bytes']} {prefix}{one['key']}" for one in outcomes if day_of("/" + one["key"]) == day]
    assert told == sorted(expected)


def test_an_event_for_a_picture(in_s3, s3):
    server, environment = s3
    one = in_s3.set(CAMERA_NAME="Haustür 1").capture("--json").expect(0).json
    key = in_s3.settings["S3_PREFIX"] + one["key"]
    event = {"Records": [{"s3": {"bucket": {"name": server["bucket"]}, "object": {"key": quote_plus(key)}}}]}
    code, = blocks("s3-events.md", "python").popitem()[1]
    assert run_python(f"{code}\nhandler({event!r}, None)", **environment) == [f"Haustür 1 {one['captured_at']} {key}"]


@pytest.mark.parametrize("form", ["s3", "raw", "multipart", "json"])
def test_the_facts_that_come_along(form, in_s3, s3, endpoint):
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")]
            for line in (ROOT / "docs/reading.md").read_text().split("## What comes along")[1].split("##")[0].splitlines()
            if line.startswith("|") and "---" not in line]
    column = {"s3": 1, "multipart": 2, "json": 2, "raw": 3}[form]
    names = {row[column] for row in rows[1:]} - {"clock", "X-Snapshot-Clock", "the object's key"}
    if form != "s3":
        in_s3.set(STORAGE_BACKEND="http", HTTP_UPLOAD_URL=endpoint.url, HTTP_UPLOAD_FORMAT=form)
    one = in_s3.capture("--json").expect(0).json
    if form == "s3":
        metadata = Bucket(s3[0], s3[0]["bucket"]).head(in_s3.settings["S3_PREFIX"] + one["key"])["Metadata"]
        assert set(metadata) == names | {"clock"}
    else:
        got = endpoint.received[-1]
        there = json.loads(got.body) if form == "json" else got.headers if form == "raw" else got.fields
        assert names <= set(there) and len(names) == 4
        assert one["key"] in [there[name] for name in names] and one["sha256"] in [there[name] for name in names]


def test_keys_for_tables(ready, tmp_path):
    path = tmp_path / "table.env"
    path.write_text(blocks("reading.md", "sh")["Keys for tables"][0])
    one = ready.capture("--json", "--config", path).expect(0).json
    names = {}
    exec(blocks("reading.md", "python")["Keys for tables"][0], names)  # noqa: S102 a page of ours
    taken = datetime.fromisoformat(one["captured_at"].replace("Z", "+00:00"))
    assert names["columns"](one["key"]) == {"camera": "front", "date": f"{taken:%Y-%m-%d}", "hour": f"{taken:%H}"}
    assert str({"camera": "front", "date": "2026-01-21", "hour": "10"}) in names["columns"].__doc__
    assert (ready.folder / "snapshots" / one["key"]).is_file()


def offline(service):
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def validate(operation, **parameters):
    shape = offline("s3").meta.service_model.operation_model(operation).input_shape
    validate_parameters(parameters, shape)


def test_the_notification_is_one():
    told = json.loads(blocks("s3-events.md", "json").popitem()[1][0])
    validate("PutBucketNotificationConfiguration", Bucket="x", NotificationConfiguration=told)


def test_the_rule_that_deletes_is_taken(s3):
    server, _ = s3
    rule = json.loads(blocks("cost.md", "json")["Deleting old pictures"][0])
    more = json.loads("{" + re.search(r'`("Noncurrent.*?})`', (ROOT / "docs/cost.md").read_text())[1] + "}")
    validate("PutBucketLifecycleConfiguration", Bucket="x", LifecycleConfiguration={"Rules": [{**rule["Rules"][0], **more}]})
    bucket = Bucket(server, f"rules-{secrets.token_hex(4)}")
    bucket.client.put_bucket_lifecycle_configuration(Bucket=bucket.name, LifecycleConfiguration=rule)
    kept = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"][0]
    assert kept["Status"] == "Enabled" and kept["Expiration"]["Days"] == 30


@pytest.mark.parametrize("page", ["s3-events.md", "cost.md"])
def test_commands_of_aws_exist(page):
    lines = [line for all_of_it in blocks(page, "sh").values() for line in "".join(all_of_it).splitlines() if line.startswith("aws s3api")]
    assert lines
    model = offline("s3").meta.service_model
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    for line in lines:
        name, *words = line.split()[2:]
        members = {"--" + xform_name(member, "-") for member in model.operation_model(operations[name]).input_shape.members}
        assert {word for word in words if word.startswith("--")} <= members


def test_the_policies_allow_what_they_are_for(ready):
    """The camera's may put, the reader's may list and get, and neither may do the other's."""
    write, read = (json.loads(text) for text in blocks("recipes/s3.md", "json")["Amazon S3 and compatible services"])
    server = shared.server("rgw", rgw.start)
    bucket = Bucket(server, f"policy-{secrets.token_hex(4)}")
    camera = client(server, server["camera"])

    def apply(policy):
        text = json.dumps({**policy, "Statement": [
            {**one, "Principal": {"AWS": ["arn:aws:iam:::user/camera"]}} for one in policy["Statement"]]})
        bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=text.replace("YOUR-BUCKET", bucket.name))

    def may(name, **more):
        try:
            getattr(camera, name)(Bucket=bucket.name, **more)
            return True
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error
            return False

    # The picture is the owner's: who put an object may read it by its ACL.
    bucket.client.put_object(Bucket=bucket.name, Key="snapshots/one", Body=b"x")
    rights = [("put_object", {"Key": "snapshots/two"}), ("put_object", {"Key": "elsewhere"}), ("get_object", {"Key": "snapshots/one"}),
              ("list_objects_v2", {}), ("delete_object", {"Key": "snapshots/one"})]
    apply(write)
    assert [may(name, **more) for name, more in rights] == [True, False, False, False, False]
    apply(read)
    assert [may(name, **more) for name, more in rights] == [False, False, True, True, False]


def test_the_table_of_costs_is_right():
    text = (ROOT / "docs/cost.md").read_text()
    rows = re.findall(r"^\| (\d+)([sm]) \| (.*) \|$", text, re.M)
    assert len(rows) == 4
    for number, unit, cells in rows:
        pictures = 86_400 // (int(number) * {"s": 1, "m": 60}[unit])
        day, month, *sizes = (float(cell.replace(",", "")) for cell in cells.split(" | "))
        assert (day, month) == (pictures, 30 * pictures)
        for told, true in zip(sizes, (pictures * 170e-6, 30 * pictures * 170e-6, 30 * pictures * 1e-3), strict=True):
            assert abs(told - true) <= max(0.06 * true, 0.002), (number, unit, told, true)
    requests, kept = 259_200, 8_640 * 30 * 170e-6
    assert f"${requests * 0.005 / 1000:.2f} + ${kept * 0.023:.2f}" in text


def test_the_backup_has_all_that_it_names(tmp_path):
    code = "".join(blocks("upkeep.md", "sh")["Backup"])
    files = ["etc/snapshot/snapshot.env", "etc/snapshot/credentials/camera_password",
             "etc/systemd/system/snapshot.timer.d/interval.conf", "var/lib/snapshot/pins.json", "var/lib/snapshot/front/pins.json",
             "var/lib/snapshot/snapshots/front/a.jpg", "var/lib/snapshot/snapshots/front/.incoming-7"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    tar = "".join(line + "\n" for line in code.splitlines() if not line.startswith("rsync"))
    subprocess.run(["sh", "-ec", re.sub(r" /(?=etc|var)", " ", tar)], cwd=tmp_path, check=True)
    listed = subprocess.run(["tar", "-tzf", "snapshot-backup.tar.gz"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert {name for name in listed.split() if not name.endswith("/")} == set(files[:5])
    assert (tmp_path / "snapshot-backup.tar.gz").stat().st_mode & 0o77 == 0


def test_restored_state_doubles_nothing(ready, tmp_path):
    pictures, state = ready.folder / "snapshots", ready.folder / "state"
    pictures.write_text("in the way")
    for _ in range(2):
        ready.capture().expect(75)
    shutil.copytree(state, tmp_path / "backup")
    pictures.unlink()
    ready.capture().expect(0)
    stored = {path: path.read_bytes() for path in pictures.rglob("*.jpg")}
    assert len(stored) == 3
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "backup", state)
    ready.run("drain").expect(0)
    assert {path: path.read_bytes() for path in pictures.rglob("*.jpg")} == stored and not ready.spooled_pictures()


def test_retention_goes_on_with_keys_of_an_earlier_template(ready):
    for _ in range(3):
        ready.capture().expect(0)
    earlier = set((ready.folder / "snapshots").rglob("*.jpg"))
    ready.set(KEY_TEMPLATE="camera={camera}/{timestamp}.jpg", LOCAL_STORAGE_MAX_BYTES="1")
    ready.capture().expect(0)
    left = set((ready.folder / "snapshots").rglob("*.jpg"))
    assert len(earlier) == 3 and not earlier & left and len(left) == 1


def test_the_packaged_settings_show_what_people_ask_for(ready, camera):
    text = (ROOT / "packaging/snapshot.env").read_text()
    shown = {"CAMERA_USE_HTTPS", "CAMERA_STREAM", "S3_PREFIX", "KEY_TEMPLATE", "WEB_IMAGES", "PING_URL", "STREAM_MODE"}
    assert shown <= set(re.findall(r"^#?([A-Z0-9_]+)=", text, re.M))
    quoted = re.search(r"stands in quotes: (CAMERA_PASSWORD=.*)", text)[1]
    assert all(mark in quoted for mark in " #\"'")
    camera.password = 'blue #1 "door"'
    ready.set(CAMERA_PASSWORD=None)
    (ready.folder / "quoted.env").write_text(quoted + "\n")
    ready.capture("--config", "quoted.env").expect(0)
