"""PyPI picows (Cython): send to each."""

from asked import asked, rooms, run, secure
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server


class Talk(WSListener):
    """One connection."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def on_ws_connected(self, transport: WSTransport) -> None:
        """It is open."""
        rooms[self.path].add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """It is gone."""
        rooms[self.path].discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Something was said."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        for other in (transport,) if self.path == "/echo" else rooms[self.path]:
            other.send(WSMsgType.TEXT, payload)


def listener(request: WSUpgradeRequest) -> Talk:
    """For each handshake."""
    return Talk(request.path.decode())


async def main() -> None:
    """Serve for ever."""
    server = await ws_create_server(listener, "127.0.0.1", asked.port, ssl=secure(), backlog=4096)
    await server.serve_forever()


run(main())
