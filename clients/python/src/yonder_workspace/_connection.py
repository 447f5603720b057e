"""A connection that is made anew where it breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
import grpc.aio

from .errors import BrokenStream, ConnectionLost, WorkspaceError, is_passing, to_workspace_error

T = TypeVar("T")

#: How long a call or a stream is tried again without getting on.
PATIENCE = 120.0
#: The same where nobody has answered at this address before: it may be the wrong one.
FIRST_PATIENCE = 10.0
#: The server says something at least every ten seconds; a stream that is silent for longer is dead.
SILENCE = 35.0
OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    # A network that went away without a word is noticed by the calls that stream nothing, too.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]


class Connection:
    """A channel to one server, opened at the first call and again after `reset`."""

    def __init__(self, host: str, api_key: str | None, read_timeout: float) -> None:
        self.host = host.rstrip("/")
        self.read_timeout = read_timeout
        self.metadata = [("authorization", f"Bearer {api_key}")] if api_key else []
        self._channel: grpc.aio.Channel | None = None
        self.resets = 0
        self.was_reached = False
        self._closed = False

    def stub(self, kind: Callable[[grpc.aio.Channel], Any]) -> Any:
        return kind(self.channel())

    def channel(self) -> grpc.aio.Channel:
        if self._closed:
            raise WorkspaceError("the workspace is closed", "CLOSED")
        if self._channel is None:
            if self.host.startswith("unix:"):
                self._channel = grpc.aio.insecure_channel(self.host, OPTIONS)
            else:
                address = urlsplit(self.host if "://" in self.host else f"http://{self.host}")
                if address.scheme == "https":
                    credentials = grpc.ssl_channel_credentials()
                    self._channel = grpc.aio.secure_channel(address.netloc, credentials, OPTIONS)
                else:
                    self._channel = grpc.aio.insecure_channel(address.netloc, OPTIONS)
        return self._channel

    async def reset(self) -> None:
        channel, self._channel = self._channel, None
        self.resets += 1
        if channel is not None:
            await channel.close()

    async def close(self) -> None:
        self._closed = True
        await self.reset()

    @contextmanager
    def in_use(self, resets: int) -> Iterator[None]:
        """Around what uses a channel of so many resets ago. Closing one cancels its calls as if their task were."""
        try:
            yield
        except asyncio.CancelledError as error:
            if self.resets == resets:
                raise
            raise BrokenStream("the connection was closed") from error

    async def call(self, method: Callable[[Connection], Any]) -> Any:
        """A unary call that may be sent again as it is; `method` makes it on the channel of the moment."""
        retry = Retry(self)
        while True:
            try:
                with self.in_use(self.resets):
                    reply = await method(self)
                self.was_reached = True
                return reply
            except (grpc.RpcError, BrokenStream) as error:
                await retry.after(error)


class Retry:
    """Waits between tries, and ends them after `PATIENCE` without progress."""

    def __init__(self, connection: Connection, exec_id: str = "") -> None:
        self._connection = connection
        self._exec_id = exec_id
        self.cursor = 0
        self.progress()

    def progress(self) -> None:
        self._since = time.monotonic()
        self._delay = 0.05

    async def after(self, error: BaseException) -> None:
        """Returns once it is time for the next try; raises where there is none."""
        if isinstance(error, grpc.RpcError) and not is_passing(error):
            raise to_workspace_error(error) from error
        patience = PATIENCE if self._connection.was_reached else FIRST_PATIENCE
        if time.monotonic() - self._since > patience:
            why = error.details() if isinstance(error, grpc.RpcError) else error
            message = f"{self._connection.host} did not answer for {patience:.0f} s: {why}"
            raise ConnectionLost(message, self._exec_id, self.cursor) from error
        await asyncio.sleep(self._delay)
        self._delay = min(self._delay * 2, 2.0)


async def next_message(connection: Connection, resets: int, stream: Any) -> Any:
    """The next message of a stream; one that ends, or says nothing for too long, is broken."""
    try:
        with connection.in_use(resets):
            message = await asyncio.wait_for(stream.read(), SILENCE)
    except asyncio.TimeoutError as error:
        stream.cancel()
        # The connection is dead, and the next stream would be, too. Once is enough for all streams on it.
        if connection.resets == resets:
            await connection.reset()
        raise BrokenStream(f"the stream was silent for {SILENCE:.0f} s") from error
    connection.was_reached = True
    if message is grpc.aio.EOF:
        raise BrokenStream("the stream ended early")
    return message


async def maybe_await(result: Awaitable[None] | None) -> None:
    if result is not None:
        await result
