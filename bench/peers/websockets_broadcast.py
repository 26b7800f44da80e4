"""PyPI websockets with its broadcast()."""

import asyncio

from asked import asked, rooms, run, secure
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed


async def talk(connection: ServerConnection) -> None:
    """One connection."""
    assert connection.request is not None
    path = connection.request.path
    room = rooms[path]
    room.add(connection)
    try:
        async for message in connection:
            if path == "/echo":
                await connection.send(message)
            else:
                broadcast(room, message)
    except ConnectionClosed:
        pass
    finally:
        room.discard(connection)


async def main() -> None:
    """Serve for ever."""
    compression = "deflate" if asked.deflate else None
    async with serve(talk, "127.0.0.1", asked.port, compression=compression, ssl=secure(), backlog=4096):
        await asyncio.Future()


run(main())
