"""What is in a recording or a stream, judged by ffmpeg's own tools."""
import json
import subprocess
import tempfile


def decode(source, *options, seconds=30, timed=True):
    """Decodes all of it; an error if the decoder has anything to say. With `timed` its words about timestamps count, too."""
    sink = ["-f", "null"] if timed else ["-map", "0:v", "-f", "rawvideo", "-y"]
    done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *map(str, options), "-i", str(source), *sink, "/dev/null"],
                          capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0 and not done.stderr.strip(), f"{source}: {done.stderr[-2000:]}"


def decode_first(source, count):
    """Decodes the first `count` pictures in the order in which they are stored, as `decode` does."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as part:
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(source), "-map", "0:v:0", "-c", "copy", "-frames:v", str(count),
                        part.name], timeout=30, check=True)
        assert len(video_times(part.name)) == count
        decode(part.name)


def codecs(source, *options, seconds=30):
    """{"video": …, "audio": …}"""
    done = subprocess.run(["ffprobe", "-v", "error", *map(str, options), "-show_entries", "stream=codec_type,codec_name",
                           "-of", "json", str(source)], capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"{source}: {done.stderr}"
    return {s["codec_type"]: s["codec_name"] for s in json.loads(done.stdout)["streams"]}


def video_times(source):
    """The decoding times of its pictures, in seconds."""
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=dts_time", "-of",
                           "csv=p=0", str(source)], capture_output=True, text=True, timeout=30, check=True)
    return [float(line.strip(",")) for line in done.stdout.split() if line.strip(",") not in ("", "N/A")]


def pictures(source, *options):
    """A digest of each decoded picture."""
    done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *options, "-i", str(source), "-map", "0:v", "-fps_mode", "passthrough",
                           "-f", "framemd5", "-"], capture_output=True, text=True, timeout=30, check=True)
    return [line.rsplit(",", 1)[1].strip() for line in done.stdout.splitlines() if line and not line.startswith("#")]


def size(source):
    """(width, height)"""
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of",
                           "csv=p=0", str(source)], capture_output=True, text=True, timeout=30, check=True)
    return tuple(map(int, done.stdout.split("\n")[0].strip(",").split(",")))


def profile(source):
    """The video's profile, which would differ if the video had been encoded anew."""
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=profile", "-of",
                           "csv=p=0", str(source)], capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.split("\n")[0].strip(",")
