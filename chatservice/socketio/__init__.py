"""Socket.IO (v4, v5) and Engine.IO (3, 4) servers for Twisted, usable without the chat. See docs/socketio.md."""

from chatservice.socketio.clientfiles import PACKAGED as PACKAGED_CLIENTS
from chatservice.socketio.engine import EngineIOServer
from chatservice.socketio.errors import AckTimeout, ConnectionRefused
from chatservice.socketio.event import Event
from chatservice.socketio.handshake import Handshake
from chatservice.socketio.namespace import Namespace
from chatservice.socketio.options import Options
from chatservice.socketio.origins import any_origin, same_origin, these_origins
from chatservice.socketio.server import SocketIOServer
from chatservice.socketio.session import Session
from chatservice.socketio.site import Mount, SocketSite
from chatservice.socketio.socket import Socket

__all__ = [
    "PACKAGED_CLIENTS",
    "AckTimeout",
    "ConnectionRefused",
    "EngineIOServer",
    "Event",
    "Handshake",
    "Mount",
    "Namespace",
    "Options",
    "Session",
    "Socket",
    "SocketIOServer",
    "SocketSite",
    "any_origin",
    "same_origin",
    "these_origins",
]
