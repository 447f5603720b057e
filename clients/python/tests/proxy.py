"""A TCP proxy that knows nothing of what it carries, and cuts it."""

from __future__ import annotations

import asyncio


class CuttingProxy:
    """Cuts each connection after so many bytes of one direction; None lets it live."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self.cut_after_down: int | None = None
        self.cut_after_up: int | None = None
        self.cuts = 0
        self._held: set[asyncio.StreamWriter] = set()
        self.url = ""
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()
        self._cut_all()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def freeze(self) -> None:
        """Forwards nothing any more on the connections there are, and closes none; new ones are served."""
        self._held.update(self._writers)

    def _cut_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        both = (writer, back)
        self._writers.update(both)
        for source, target, limit in ((reader, back, self.cut_after_up), (there, writer, self.cut_after_down)):
            task = asyncio.ensure_future(self._forward(source, target, limit, both))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forward(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        limit: int | None,
        both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        left = limit
        try:
            while data := await source.read(65536):
                if left is not None and len(data) >= left:
                    self.cuts += 1
                    break
                if target in self._held:
                    await asyncio.Event().wait()
                target.write(data)
                await target.drain()
                left = None if left is None else left - len(data)
        except OSError:
            pass
        for writer in both:
            writer.transport.abort()
            self._writers.discard(writer)
