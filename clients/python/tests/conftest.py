from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from yonder_workspace import AsyncRemoteWorkspace, RemoteWorkspace

from .proxy import CuttingProxy


def pytest_configure() -> None:
    if "YONDER_HOST" not in os.environ:
        raise pytest.UsageError("YONDER_HOST names no server; `npm run languages python` starts one")


@pytest.fixture
def host() -> str:
    return os.environ["YONDER_HOST"]


@pytest.fixture
def key() -> str:
    return os.environ["YONDER_API_KEY"]


@pytest.fixture
def workspace(host: str, key: str) -> Iterator[RemoteWorkspace]:
    """Over a directory of this test's own, which is removed."""
    directory = f"python-{uuid.uuid4()}"
    with RemoteWorkspace(host, api_key=key) as root:
        root.execute_command(f"mkdir {directory}")
        with RemoteWorkspace(host, directory, key) as own:
            yield own
        root.execute_command(f"rm -rf {directory}")


@pytest_asyncio.fixture
async def remote(host: str, key: str) -> AsyncIterator[AsyncRemoteWorkspace]:
    async with AsyncRemoteWorkspace(host, api_key=key) as own:
        yield own


@pytest.fixture
def proxy(host: str) -> Iterator[CuttingProxy]:
    """A proxy in a thread of its own, which cuts connections where a test says so."""
    address = urlsplit(host)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    own = CuttingProxy(address.hostname or "", address.port or 0)
    asyncio.run_coroutine_threadsafe(own.start(), loop).result()
    yield own
    asyncio.run_coroutine_threadsafe(own.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
