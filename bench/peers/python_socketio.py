"""PyPI python-socketio on aiohttp: an event of one goes to all."""

import asyncio

import socketio
from aiohttp import web
from asked import asked, run

server = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"], logger=False)


@server.on("say")
async def say(_sid: str, text: str) -> None:
    """Something was said."""
    await server.emit("said", text)


async def main() -> None:
    """Serve for ever."""
    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", asked.port, backlog=4096).start()
    await asyncio.Future()


run(main())
