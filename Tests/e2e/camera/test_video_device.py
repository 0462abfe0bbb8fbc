"""A video device: its first frames are dark. ffmpeg is the real one; only its device is a test pattern that brightens."""
import subprocess

import pytest

from video_device import fake_device


def brightness(jpeg):
    """From 0 to 255, of a picture."""
    grey = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", "-", "-vf", "scale=1:1,format=gray", "-f", "rawvideo", "-"],
                          input=jpeg, capture_output=True, check=True).stdout
    return grey[0]


def source(rate, dark):
    """White after `dark` seconds of black."""
    return f"color=white:size=320x240:rate={rate},format=yuv420p,geq=lum='if(lt(T,{dark}),16,235)':cb=128:cr=128"


@pytest.mark.parametrize("rate, dark", [(30, 1), (30, 0.1), (15, 1.2), (5, 0.9), (2, 1.4), (1, 1)])
def test_the_frame_is_a_settled_one(snapshot, tmp_path, rate, dark):
    path = fake_device(tmp_path, source(rate, dark))
    result = snapshot.set(CAMERA_URL="v4l2:/dev/video7", PATH=path).capture().expect(0)
    data, = snapshot.stored().values()
    assert brightness(data) > 200 and result.wall < 8


@pytest.mark.parametrize("timeout", [2, 3])
def test_a_short_timeout_leaves_time_for_a_settled_frame(snapshot, tmp_path, timeout):
    path = fake_device(tmp_path, source(30, 0.3))
    snapshot.set(CAMERA_URL="v4l2:/dev/video7", PATH=path, CAMERA_TIMEOUT=f"{timeout}s").capture().expect(0)
    data, = snapshot.stored().values()
    assert brightness(data) > 200


def test_a_device_without_frames_is_told(snapshot, tmp_path):
    path = fake_device(tmp_path, "nullsrc=d=0.01:rate=1,select=0")
    snapshot.set(CAMERA_URL="v4l2:/dev/video7", PATH=path, CAMERA_TIMEOUT="4s").capture().refuses(69, "/dev/video7")
