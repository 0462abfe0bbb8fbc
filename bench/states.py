"""Old states and full spools, made in the program's own formats without running it a hundred thousand times."""
import hashlib
import json
import time
import zlib

SLOT = 4096
PER_FOLDER = 1000


def slot(record):
    """A record as `state.jsonl` holds it: `seq` first, the checksum last, spaces up to the newline."""
    body = json.dumps({"seq": record["seq"]} | record, separators=(",", ":"))[:-1].encode()
    return (body + b',"crc":"%08x"}' % zlib.crc32(body)).ljust(SLOT - 1) + b"\n"


def newest(state):
    """The latest record of a state, without its checksum."""
    lines = (state / "state.jsonl").read_bytes().splitlines()
    records = [json.loads(line) for line in lines if line.strip()]
    record = max(records, key=lambda r: r["seq"])
    del record["crc"]
    return record


def age(state, runs):
    """Makes a state that has seen one run look as after `runs`: the ring full, two days of hours, 32 sizes."""
    record = newest(state)
    hour = int(time.time() // 3600)
    record["hours"] = [[hour - back, 360, 0, 360, 14400] for back in reversed(range(48))]
    record["pictures"]["sizes"] = [record["outcome"]["bytes"]] * 32
    slots = [b""] * 64
    for seq in range(runs - 63, runs + 1):
        counts = {"seq": seq, "last_number": seq, "total_captures": seq, "total_uploads": seq}
        slots[(seq - 1) % 64] = slot(record | counts)
    (state / "state.jsonl").write_bytes(b"".join(slots))


def fill_spool(state, count, picture, size=None):
    """`count` spooled pictures; of that size but holding nothing where `size` is given."""
    spool = state / "spool"
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = {"camera": "bench", "sha256": hashlib.sha256(picture).hexdigest(), "clock": "synced",
             "content_type": "image/jpeg", "length": size or len(picture), "boot": "", "up": 0}
    for number in range(1, count + 1):
        folder = spool / f"{number // PER_FOLDER:012}"
        if number == 1 or number % PER_FOLDER == 0:
            folder.mkdir(mode=0o700, exist_ok=True)
        line = json.dumps(facts | {"key": f"spooled/{number:06}.jpg", "captured_at_ms": 1_790_000_000_000 + number})
        with open(folder / f"{number:012}-{facts['length']}.jpg", "wb") as file:
            if size:
                file.seek(size)
            else:
                file.write(picture)
            file.write(line.encode() + b"\n")
    # Counters don't know of these entries yet: the next run counts them.
    (spool / "dirty").touch()
