"""supervise.py PID COMMAND...: runs a server until it ends, until SIGTERM, or until process PID is gone.

Test runs get interrupted; the servers that they share must not stay behind.
"""
import os
import signal
import subprocess
import sys


def main():
    parent, command = int(sys.argv[1]), sys.argv[2:]
    child = subprocess.Popen(command)
    signal.signal(signal.SIGTERM, lambda *_: child.kill())
    while True:
        try:
            return child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if not os.path.exists(f"/proc/{parent}"):
                child.kill()


if __name__ == "__main__":
    sys.exit(main())
