"""The state file, read the way its documentation says: 4,096-byte slots, each a line of JSON padded with spaces."""
import json
import subprocess

SLOT = 4096


class Ring:
    def __init__(self, path):
        self.path = path

    @property
    def slots(self):
        data = self.path.read_bytes()
        return [data[i:i + SLOT] for i in range(0, len(data), SLOT)]

    def check(self):
        """Every slot is whole: its size, one newline at its end, one JSON object; jq agrees with us on the newest."""
        records = []
        for slot in self.slots:
            assert len(slot) == SLOT, f"a slot of {len(slot)} bytes"
            assert slot.endswith(b"\n") and slot.count(b"\n") == 1, slot[-20:]
            if slot.strip():  # the others haven't been used yet
                records.append(json.loads(slot))
        newest = max(records, key=lambda r: r["seq"])
        jq = subprocess.run(["jq", "-c", "-s", "max_by(.seq)", str(self.path)], capture_output=True, check=True)
        assert json.loads(jq.stdout)["seq"] == newest["seq"]
        return newest

    @property
    def records(self):
        """The readable records, oldest first; slots that were never written are blank."""
        found = []
        for slot in self.slots:
            try:
                found.append(json.loads(slot))
            except ValueError:
                continue
        return sorted((r for r in found if isinstance(r, dict) and r.get("seq")), key=lambda r: r["seq"])

    @property
    def newest(self):
        return self.records[-1]

    def tear(self, seq):
        """Zeroes the second half of the slot that holds record `seq`, as a torn write would."""
        data = bytearray(self.path.read_bytes())
        for i in range(0, len(data), SLOT):
            try:
                if json.loads(data[i:i + SLOT])["seq"] == seq:
                    break
            except ValueError:
                continue
        else:
            raise AssertionError(f"no slot holds record {seq}")
        half = len(bytes(data[i:i + SLOT]).rstrip()) // 2
        data[i + half:i + SLOT] = b"\0" * (SLOT - half)
        self.path.write_bytes(data)
