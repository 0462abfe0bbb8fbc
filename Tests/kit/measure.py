"""measure.py REPORT COMMAND...: runs a command; writes its exit code, wall seconds and peak memory to REPORT.

A small process of its own, since a child's peak memory starts at that of the process that forked it: under a test
runner of 60 MB every program would seem to need 60 MB.
"""
import os
import signal
import sys
import time


def main():
    report, command = sys.argv[1], sys.argv[2:]
    # The tests may run under nohup or in a shell's background, where these are ignored.
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, signal.SIG_DFL)
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            os.execvp(command[0], command)
        finally:
            os._exit(127)
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, lambda number, _: os.kill(pid, number))
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - start
    code = os.waitstatus_to_exitcode(status)
    with open(report, "w") as f:
        f.write(f"{pid} {code} {wall} {usage.ru_maxrss}")


if __name__ == "__main__":
    main()
