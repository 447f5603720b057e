"""The completion callback, as an automation service gets it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from yonder_workspace import AsyncRemoteWorkspace, RemoteWorkspace


class Service:
    def __init__(self) -> None:
        self.told: list[tuple[dict[str, object], str | None]] = []
        self.status = 200
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                service.told.append((json.loads(body), self.headers["authorization"]))
                self.send_response(service.status)
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/done"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    own = Service()
    thread = threading.Thread(target=own.server.serve_forever)
    thread.start()
    monkeypatch.setenv("AUTOMATION_CALLBACK_URL", own.url)
    monkeypatch.setenv("AUTOMATION_CALLBACK_API_KEY", "the-key-of-the-service")
    monkeypatch.setenv("AUTOMATION_RUN_ID", "run-1")
    yield own
    own.server.shutdown()
    own.server.server_close()
    thread.join()


def test_the_end_of_a_scope_tells_how_it_went(service: Service, host: str, key: str) -> None:
    with RemoteWorkspace(host, api_key=key) as workspace:
        workspace.register_conversation("c-1")
        workspace.register_cost(0.25)
    with pytest.raises(ValueError, match="broken"), RemoteWorkspace(host, api_key=key):
        raise ValueError("broken")
    assert service.told == [
        (
            {"status": "COMPLETED", "run_id": "run-1", "conversation_id": "c-1", "cost": 0.25},
            "Bearer the-key-of-the-service",
        ),
        (
            {
                "status": "FAILED",
                "run_id": "run-1",
                "error": {"source": "environment", "code": "ValueError", "detail": "broken"},
            },
            "Bearer the-key-of-the-service",
        ),
    ]


async def test_the_end_of_a_scope_with_an_event_loop_does_so_too(service: Service, host: str, key: str) -> None:
    async with AsyncRemoteWorkspace(host, api_key=key):
        pass
    assert [told["status"] for told, _ in service.told] == ["COMPLETED"]


@pytest.mark.parametrize("status", [302, 500])
def test_a_service_that_does_not_take_it_is_a_warning_without_the_key(
    service: Service, host: str, key: str, status: int
) -> None:
    service.status = status
    with pytest.warns(RuntimeWarning, match=f"answered {status}") as caught, RemoteWorkspace(host, api_key=key):
        pass
    assert "the-key" not in str(caught[0].message)
    assert len(service.told) == 1


def test_without_an_address_nobody_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch, host: str, key: str
) -> None:
    monkeypatch.delenv("AUTOMATION_CALLBACK_URL")
    with RemoteWorkspace(host, api_key=key):
        pass
    assert service.told == []
