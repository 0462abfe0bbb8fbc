"""Servers that one test run starts once and all its workers use.

The first test that asks starts the server, under a lock; what clients must know goes into a file; the run's
controller ends them all. A server may not outlive the controller either (supervise.py).
"""
import fcntl
import json
import os
from pathlib import Path

import parts
from process import stop_server

FOLDER, CONTROLLER = "SNAPSHOT_E2E_SHARED", "SNAPSHOT_E2E_CONTROLLER"


def server(name, start):
    """What `start(folder, parent)` said when the first worker called it."""
    if name in parts.NAMES:
        parts.need(name)
    folder = Path(os.environ[FOLDER]) / name
    folder.mkdir(exist_ok=True)
    known = folder / "server.json"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            known.write_text(json.dumps(start(folder, int(os.environ[CONTROLLER]))))
    return json.loads(known.read_text())


def stop_all():
    for known in Path(os.environ[FOLDER]).glob("*/server.json"):
        for pid in json.loads(known.read_text())["pids"]:
            stop_server(pid)
