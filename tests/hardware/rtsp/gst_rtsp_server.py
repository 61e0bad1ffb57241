"""A network camera by gst-rtsp-server, for Debian's own Python: `gst_rtsp_server.py PORT [USER PASSWORD]`.

H.264 of a moving ball at /cam, 10 frames a second, a key frame each second. Says "up" when it listens.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - versions come first

PIPELINE = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=480,framerate=10/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 pt=96 )"
)


def main(port: str, user: str = "", password: str = "") -> None:
    """Serve until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE)
    factory.set_shared(True)
    if user:
        demand_login(server, factory, user, password)
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print("up", flush=True)
    GLib.MainLoop().run()


def demand_login(
    server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, user: str, password: str
) -> None:
    """Let in who has this login, and nobody else."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", user)
    login = GstRtspServer.RTSPAuth()
    login.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(login)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role(user, "media.factory.access", True)  # noqa: FBT003  # as GStreamer has it
    permissions.add_permission_for_role(user, "media.factory.construct", True)  # noqa: FBT003  # as GStreamer has it
    factory.set_permissions(permissions)


main(*sys.argv[1:])
