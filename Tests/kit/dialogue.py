"""A dialogue with a program on a terminal: what it asks, and what is typed."""
import os
import pty
import re
import select
import subprocess
import termios
import time


class Dialogue:
    """A program on a terminal of its own; `how` is passed to Popen."""

    def __init__(self, command, **how):
        self.master, self.slave = pty.openpty()
        self.process = subprocess.Popen(
            # The process that started the tests may ignore these signals, and children inherit that.
            ["env", "--default-signal=INT,TERM,HUP", *command], stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True, **how)
        self.text, self._read_to = "", 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for end in (self.master, self.slave):
            os.close(end)

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.text += os.read(self.master, 65536).decode(errors="replace").replace("\r\n", "\n")
        return True

    def expect(self, pattern, timeout=20):
        """Waits until `pattern` appears after what was expected before."""
        end = time.monotonic() + timeout
        while not (found := re.search(pattern, self.text[self._read_to:])):
            assert time.monotonic() < end, f"{pattern!r} isn't in {self.text[self._read_to:]!r}, all of it: {self.text}"
            self._read(0.2)
        self._read_to += found.end()
        return found

    def type(self, text):
        os.write(self.master, text.encode())

    def answer(self, question, text):
        self.expect(question)
        self.type(f"{text}\n")

    @property
    def shows_keys(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def expect_secret(self, question):
        """Waits for `question`, and then until the terminal's echo is off."""
        self.expect(question)
        deadline = time.monotonic() + 5
        while self.shows_keys:
            assert time.monotonic() < deadline, self.text

    def secret(self, question, text):
        self.expect_secret(question)
        self.type(f"{text}\n")

    def end(self, code=0, timeout=60):
        """All that it has shown, once it has ended with that code."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read(0.1)
        while self._read(0.1):
            pass
        assert self.process.returncode == code, (self.process.returncode, self.text)
        return self.text
