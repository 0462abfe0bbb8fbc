"""A video device that needs no hardware: the real ffmpeg, whose device is a test pattern."""
import stat


def fake_device(folder, source):
    """An `ffmpeg` for the PATH whose `-f v4l2 -i /dev/…` is the lavfi source, in real time."""
    script = folder / "ffmpeg"
    script.write_text(f"""#!/usr/bin/env python3
import os, sys
arguments = sys.argv[1:]
at = arguments.index("v4l2")
assert arguments[at - 1] == "-f" and arguments[at + 1:at + 3] == ["-i", "/dev/video7"], arguments
# What the program would ask the device for, with the same filters behind it.
arguments[at - 1:at + 3] = ["-re", "-f", "lavfi", "-i", {source!r}]
os.execv("/usr/bin/ffmpeg", ["ffmpeg", *arguments])
""")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return f"{folder}:/usr/bin:/bin"
