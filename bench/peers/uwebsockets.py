"""uWebSockets (C++) by the PyPI socketify wheel: its publish/subscribe does the fan-out."""

from typing import Any

from asked import asked
from socketify import App, AppListenOptions, AppOptions, CompressOptions, OpCode


def upgrade(response: Any, request: Any, context: Any) -> None:
    """Keep the path; it names the room."""
    key, protocol, extensions = (
        request.get_header(f"sec-websocket-{name}") for name in ("key", "protocol", "extensions")
    )
    response.upgrade(key, protocol, extensions, context, request.get_url())


def opened(socket: Any) -> None:
    """It is open."""
    socket.subscribe(socket.get_user_data())


def message(socket: Any, text: Any, opcode: OpCode) -> None:
    """Something was said."""
    path = socket.get_user_data()
    if path == "/echo":
        socket.send(text, opcode)
    else:
        app.publish(path, text, opcode, asked.deflate)


app = App(AppOptions(cert_file_name=asked.tls[0], key_file_name=asked.tls[1]) if asked.tls else None)
app.ws(
    "/*",
    {
        "compression": CompressOptions.SHARED_COMPRESSOR if asked.deflate else CompressOptions.DISABLED,
        "max_payload_length": 65536,
        "max_backpressure": 1024 * 1024,
        "idle_timeout": 120,
        "upgrade": upgrade,
        "open": opened,
        "message": message,
    },
)
app.listen(AppListenOptions(port=asked.port, host="127.0.0.1"))
app.run()
