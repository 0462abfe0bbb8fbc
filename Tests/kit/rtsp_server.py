"""An RTSP server on GStreamer: a Reolink camera's streams to play, and a central server's places to push to.

Run by the system's Python, which has GStreamer's bindings (python3-gi, gir1.2-gst-rtsp-server-1.0).

Streams to play, each live-encoded: h264Preview_01_main (H.264, AAC), h264Preview_01_sub (H.264, A-law),
h265Preview_02_main (H.265, AAC), Preview_03_main (H.264 alone), mjpeg (with A-law).
Places to push to: /live/h264, /live/h264-aac, /live/h265-aac, /live/mjpeg-aac; what comes in can be played from /out/ and the same name.
SIGUSR1 stops all media but not the connections, whose RTCP goes on; SIGUSR2 lets it flow again.
"""
import argparse
import json
import os
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402


def say(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="0")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--basic", action="store_true")
    parser.add_argument("--tls", help="PEM file of a certificate and its key: rtsps")
    parser.add_argument("--udp", action="store_true", help="media goes over UDP alone")
    parser.add_argument("--fps", type=int, default=15)
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--pattern", default="smpte", help="snow can't be compressed")
    parser.add_argument("--bitrate", type=int, default=400, help="kbit/s")
    return parser.parse_args()


class Server:
    def __init__(self, options):
        self.options = options
        self.valves = set()
        self.muted = False
        self.server = GstRtspServer.RTSPServer()
        # With one thread, describing a stream can wait for a push that waits for that thread.
        self.server.get_thread_pool().set_max_threads(16)
        self.server.set_address("127.0.0.1")
        self.server.set_service(options.port)
        self.mounts = self.server.get_mount_points()
        if options.user or options.tls:
            self.protect()
        self.server.connect("client-connected", lambda _, client: self.count(client))

    def count(self, client):
        say("client")
        client.connect("describe-request", lambda _, context: say("describe", path=context.uri.abspath))
        client.connect("closed", lambda _: say("closed"))

    def protect(self):
        token = GstRtspServer.RTSPToken.new()
        token.set_string("media.factory.role", "user")
        auth = GstRtspServer.RTSPAuth()
        if self.options.tls:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(self.options.tls))
        if not self.options.user:
            auth.set_default_token(token)
        elif self.options.basic:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
            auth.add_basic(GstRtspServer.RTSPAuth.make_basic(self.options.user, self.options.password), token)
        else:
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(self.options.user, self.options.password, token)
        self.server.set_auth(auth)

    def mount(self, path, factory):
        if self.options.user or self.options.tls:
            permissions = GstRtspServer.RTSPPermissions.new()
            for right in ("access", "construct"):
                permissions.add_permission_for_role("user", f"media.factory.{right}", True)
            factory.set_permissions(permissions)
        self.mounts.add_factory(path, factory)

    def camera(self, path, video, audio=""):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {video} {audio} )")
        if self.options.udp:
            factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
        factory.set_shared(True)
        factory.connect("media-configure", lambda _, media: self.configured(media))
        self.mount(path, factory)

    def configured(self, media):
        valves = [v for v in map(media.get_element().get_by_name, ("videovalve", "audiovalve")) if v]
        for valve in valves:
            valve.set_property("drop", self.muted)
        self.valves.update(valves)
        media.connect("unprepared", lambda _: self.valves.difference_update(valves))

    def mute(self, muted):
        self.muted = muted
        for valve in list(self.valves):
            valve.set_property("drop", muted)
        say("muted" if muted else "unmuted")
        return True

    def central(self, name, take, give):
        """What is pushed to /live/NAME goes to all who play /out/NAME: each sample from the appsink to every player's appsrc."""
        players, caps = {}, {}

        def pushed(sink, kind):
            sample = sink.emit("pull-sample")
            caps[kind] = sample.get_caps()
            is_key = not sample.get_buffer().has_flags(Gst.BufferFlags.DELTA_UNIT)
            for element, begun in list(players.items()):
                # A player that joins begins with a key frame.
                if not begun and (kind == "audio" or not is_key):
                    continue
                players[element] = True
                source = element.get_by_name(kind + "src")
                copy = sample.get_buffer().copy()
                copy.pts = copy.dts = Gst.CLOCK_TIME_NONE
                source.set_property("caps", caps[kind])
                source.emit("push-buffer", copy)
            return Gst.FlowReturn.OK

        def recording(_, media):
            say("record", name=name)
            media.connect("unprepared", lambda _: say("recorded", name=name))
            for kind in ("video", "audio"):
                if sink := media.get_element().get_by_name(kind + "sink"):
                    sink.connect("new-sample", pushed, kind)

        def playing(_, media):
            element = media.get_element()
            for kind, value in caps.items():
                if source := element.get_by_name(kind + "src"):
                    source.set_property("caps", value)
            players[element] = False
            media.connect("unprepared", lambda _: players.pop(element))

        into = GstRtspServer.RTSPMediaFactory()
        into.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
        into.set_launch(f"( {take} )")
        into.connect("media-configure", recording)
        self.mount(f"/live/{name}", into)
        out = GstRtspServer.RTSPMediaFactory()
        out.set_launch(f"( {give} )")
        out.set_shared(True)
        out.connect("media-configure", playing)
        self.mount(f"/out/{name}", out)

    def run(self):
        if not self.server.attach(None):
            sys.exit("cannot bind")
        loop = GLib.MainLoop()
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR1, self.mute, True)
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGUSR2, self.mute, False)
        GLib.timeout_add_seconds(2, lambda: self.server.get_session_pool().cleanup() or True)
        say("listening", port=self.server.get_bound_port(), pid=os.getpid())
        loop.run()


def main():
    options = arguments()
    Gst.init(None)
    server = Server(options)
    width, height = options.size.split("x")
    picture = (f"videotestsrc is-live=true pattern={options.pattern} horizontal-speed=3 ! video/x-raw,format=I420,width={width},height={height},"
               f"framerate={options.fps}/1 ! valve name=videovalve ! ")
    encoder = f"tune=zerolatency speed-preset=ultrafast bitrate={options.bitrate} key-int-max={options.fps} ! "
    # One slice a picture, as cameras have it.
    h264 = picture + f"x264enc sliced-threads=false {encoder} video/x-h264,profile=baseline ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1"
    h265 = picture + f"x265enc option-string=open-gop=0 {encoder} h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1"
    tone = "audiotestsrc is-live=true volume=0.2 ! valve name=audiovalve ! audio/x-raw,channels=1,rate="
    aac = tone + "16000 ! voaacenc bitrate=32000 ! rtpmp4gpay name=pay1 pt=97"
    alaw = tone + "8000 ! alawenc ! rtppcmapay name=pay1 pt=8"
    server.camera("/h264Preview_01_main", h264, aac)
    server.camera("/h264Preview_01_sub", h264, alaw)
    server.camera("/h265Preview_02_main", h265, aac)
    server.camera("/Preview_03_main", h264)
    server.camera("/mjpeg", picture + "jpegenc ! rtpjpegpay name=pay0 pt=26", alaw)

    sink = " ! appsink emit-signals=true sync=false max-buffers=300 drop=true name="
    source = "appsrc is-live=true do-timestamp=true format=time name="
    takes = {c: f"rtp{c}depay name=depay0 ! {c}parse config-interval=-1 ! video/x-{c},alignment=au{sink}videosink " for c in ("h264", "h265")}
    gives = {c: f"{source}videosrc ! {c}parse config-interval=-1 ! rtp{c}pay name=pay0 pt=96 " for c in ("h264", "h265")}
    take_audio = f"rtpmp4gdepay name=depay1 ! aacparse{sink}audiosink"
    give_audio = f"{source}audiosrc ! aacparse ! rtpmp4gpay name=pay1 pt=97"
    server.central("h264", takes["h264"], gives["h264"])
    for codec in ("h264", "h265"):
        server.central(f"{codec}-aac", takes[codec] + take_audio, gives[codec] + give_audio)
    server.central("mjpeg-aac", f"rtpjpegdepay name=depay0 ! image/jpeg{sink}videosink " + take_audio,
                   f"{source}videosrc ! image/jpeg ! rtpjpegpay name=pay0 pt=26 " + give_audio)
    server.run()


main()
