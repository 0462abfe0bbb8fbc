"""A player's view of a live playlist: it is fetched again and again, and has to keep the rules that players rely on."""
import re
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Playlist:
    sequence: int
    discontinuity: int
    target: int
    segments: list = field(default_factory=list)
    """(name, seconds, whether a discontinuity comes before it)"""

    @staticmethod
    def parse(text):
        assert text.startswith("#EXTM3U\n"), text[:100]

        def number(tag):
            return int(re.search(rf"^#{tag}:(\d+)$", text, re.M)[1])

        found = Playlist(number("EXT-X-MEDIA-SEQUENCE"), number("EXT-X-DISCONTINUITY-SEQUENCE"), number("EXT-X-TARGETDURATION"))
        seconds, broken = 0, False
        for line in text.splitlines():
            if line.startswith("#EXTINF:"):
                seconds = float(line[8:].split(",")[0])
            elif line == "#EXT-X-DISCONTINUITY":
                broken = True
            elif line and not line.startswith("#"):
                found.segments.append((line, seconds, broken))
                broken = False
        assert "#EXT-X-ENDLIST" not in text
        return found

    @property
    def numbered(self):
        return {self.sequence + i: s for i, s in enumerate(self.segments)}

    @property
    def end(self):
        return self.sequence + len(self.segments)


class Player:
    """Follows the playlist in a folder in a thread of its own; `broken` says which rule was broken."""

    def __init__(self, folder):
        self.path = folder / "stream.m3u8"
        self.broken, self.known, self.arrivals = None, {}, []
        self._stop = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        self._thread.join()
        assert kind or not self.broken, self.broken

    def _follow(self):
        last = None
        while not self._stop.wait(0.1):
            try:
                text = self.path.read_text()
            except FileNotFoundError:
                if last:
                    self.broken = self.broken or "the playlist is gone"
                continue
            try:
                now = Playlist.parse(text)
                if last:
                    self._check(last, now)
                for number, segment in now.numbered.items():
                    if number not in self.known:
                        self.known[number] = segment
                        self.arrivals.append(time.monotonic())
                last = now
            except Exception as error:  # noqa: BLE001 - told by the test
                self.broken = self.broken or f"{error!r} in {text}"

    def _check(self, last, now):
        assert now.sequence >= last.sequence, "the media sequence went back"
        assert now.discontinuity >= last.discontinuity, "the discontinuity sequence went back"
        assert now.end >= last.end, "segments were taken back"
        assert now.target >= max(round(s[1]) for s in now.segments), "a segment is longer than the target"
        for number, segment in now.numbered.items():
            assert self.known.get(number, segment) == segment, f"segment {number} changed"
        names = [s[0] for s in self.known.values()]
        assert len(names) == len(set(names)), "a name came twice"
        for name, _, _ in now.segments:
            assert (self.path.parent / name).exists(), f"{name} is listed and not there"

    def wait(self, count, seconds, since=0):
        """Waits for `count` segments after `since`; returns how many seconds after it the first one came."""
        end = time.monotonic() + seconds
        while len(new := [a for a in self.arrivals if a > since]) < count:
            assert not self.broken, self.broken
            assert time.monotonic() < end, f"{len(new)} of {count} segments within {seconds} s"
            time.sleep(0.05)
        return new[0] - since
