"""Processes that the tests start: in a session of their own, stopped by pid, gone when the test run is."""
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SUPERVISOR = Path(__file__).with_name("supervise.py")
LOWEST = 10_000


def free_port():
    return free_ports(1)[0]


def free_ports(count):
    """Ports that differ from each other, none of them in use, and none that the system could give to an outgoing
    connection before a server listens there."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    sockets = []
    try:
        while len(sockets) < count:
            sockets.append(socket.socket())
            try:
                sockets[-1].bind(("127.0.0.1", secrets.randbelow(first - LOWEST) + LOWEST if first > 2 * LOWEST else 0))
            except OSError:
                sockets.pop().close()
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def wait_until(condition, seconds=10, what="condition", every=0.02):
    """The first true value of `condition()`; an error after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {seconds} s")
        time.sleep(every)


def is_gone(pid):
    """Whether a process has ended. An orphan is reaped by whoever adopts it, so a zombie counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_gone(pid):
    """Waits until a process has ended."""
    wait_until(lambda: is_gone(pid), 10, f"end of {pid}")


def waits_of(pid):
    """What each thread of a process and of those that it has started waits for, a line each."""
    lines = subprocess.run(["ps", "-eLo", "pid=,ppid=,lwp=,stat=,wchan:24=,args="], capture_output=True, text=True).stdout.splitlines()
    found, pids = [], {pid}
    for line in lines:
        own, parent = map(int, line.split()[:2])
        if own in pids or parent in pids:
            pids.add(own)
            found.append(line[:160])
    return "\n".join(found)


def runs(process, binary):
    """Whether a process, named by its folder in /proc, is that program, or QEMU that runs it."""
    program = os.readlink(process / "exe")
    return program == str(binary) or "qemu" in program and str(binary).encode() in (process / "cmdline").read_bytes().split(b"\0")



def working_in(folder, program=None):
    """The pids of processes whose working folder this is; with `program` only of those that run it. Zombies don't count."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (os.readlink(process / "cwd") == str(folder) and (program is None or runs(process, program))
                    and "\nState:\tZ" not in (process / "status").read_text()):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def listens(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def start_server(command, log, env=None, cwd=None, parent=None):
    """Starts a server that ends with this process, or with process `parent`; returns its supervisor's pid."""
    with open(log, "ab") as out:
        supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SUPERVISOR), str(parent or os.getpid()), *map(str, command)],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd, start_new_session=True)
    return supervisor.pid


def stop_server(pid, seconds=5):
    """Ends a supervisor, which kills its server, and waits for it where it is our child."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            if not os.path.exists(f"/proc/{pid}"):
                return
        time.sleep(0.01)
