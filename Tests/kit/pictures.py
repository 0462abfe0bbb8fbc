"""Pictures: real JPEGs by ffmpeg, each unlike any other."""
import itertools
import os
import subprocess

FRAMES = 24
_made = {}
_numbers = itertools.count()


def segment(marker, body):
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def encode(width=640, height=360):
    """Test pictures of that size with a running clock, made once."""
    if (width, height) not in _made:
        stream = subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"testsrc=size={width}x{height}:rate=1",
             "-frames:v", str(FRAMES), "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe", "-"],
            stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
        _made[width, height] = [b"\xff\xd8" + part for part in stream.split(b"\xff\xd8")[1:]]
        assert len(_made[width, height]) == FRAMES
    return _made[width, height]


def picture(width=640, height=360, size=0):
    """A valid JPEG that no other call returns; `size` grows it with comments to about that many bytes."""
    number = next(_numbers)
    base = encode(width, height)[number % FRAMES]
    mark = f"picture {os.getpid()} {number} ".encode() + os.urandom(8)
    extra = segment(0xFE, mark)
    while len(base) + len(extra) < size:
        extra += segment(0xFE, os.urandom(min(60_000, size - len(base) - len(extra))))
    return base[:2] + extra + base[2:]
