"""What a program shows on a terminal."""
import os
import pty
import subprocess


def on_terminal(snapshot, *arguments, code=0, **env):
    """All that it writes there, once it has ended with exit code `code`, where None is any; `TERM` is a terminal with colours."""
    master, slave = pty.openpty()
    run = subprocess.Popen([str(snapshot.binary), *arguments], stdout=slave, stderr=slave, cwd=snapshot.folder,
                           env={**snapshot.environment, **snapshot.settings, "TERM": "xterm", **env})
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:
        pass
    os.close(master)
    ended = run.wait(20)
    assert code in (ended, None), (ended, text)
    return text.decode()
