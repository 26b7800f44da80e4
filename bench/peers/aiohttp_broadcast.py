"""PyPI aiohttp: its WebSocketResponse, one awaited send_str to each."""

import asyncio

from aiohttp import WSMsgType, web
from asked import asked, rooms, run, secure


async def talk(request: web.Request) -> web.WebSocketResponse:
    """One connection."""
    socket = web.WebSocketResponse(compress=asked.deflate)
    await socket.prepare(request)
    room = rooms[request.path]
    room.add(socket)
    try:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            for other in (socket,) if request.path == "/echo" else tuple(room):
                try:
                    await other.send_str(message.data)
                except ConnectionError:
                    room.discard(other)
    finally:
        room.discard(socket)
    return socket


async def main() -> None:
    """Serve for ever."""
    app = web.Application()
    app.router.add_get("/{path}", talk)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", asked.port, ssl_context=secure(), backlog=4096).start()
    await asyncio.Future()


run(main())
