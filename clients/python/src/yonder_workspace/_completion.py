"""What the automation service that started this program, if one did, is told at the end of a scope."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
import warnings
from typing import Any
from urllib.parse import urlsplit

#: How long all of it may take, in seconds.
PATIENCE = 10
#: Of an error's text, in characters.
LONGEST_DETAIL = 8_192


class Completion:
    """Told once, after the workspace is closed: whoever is told may take this machine away."""

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}
        self._sent = False

    def register_conversation(self, conversation_id: str) -> None:
        self._told["conversation_id"] = conversation_id

    def register_cost(self, cost: float) -> None:
        self._told["cost"] = cost

    def send(self, error: BaseException | None) -> None:
        """Never raises: what fails is a warning, which names neither the key nor more of the address than its host."""
        address = os.environ.get("AUTOMATION_CALLBACK_URL")
        if not address or self._sent:
            return
        self._sent = True
        url = urlsplit(address)
        if url.scheme not in ("http", "https") or not url.hostname:
            return warn("AUTOMATION_CALLBACK_URL is no http(s) URL")
        if url.username or url.password:
            return warn("AUTOMATION_CALLBACK_URL must have no user or password")
        headers = {"content-type": "application/json"}
        if key := os.environ.get("AUTOMATION_CALLBACK_API_KEY"):
            headers["authorization"] = f"Bearer {key}"
        try:
            request = urllib.request.Request(address, json.dumps(self._payload(error)).encode(), headers)
            with urllib.request.build_opener(NoRedirect).open(request, timeout=PATIENCE):
                pass
        except Exception as failure:
            # By its status or name alone: the text of an error may quote a header.
            why = f"answered {failure.code}" if isinstance(failure, urllib.error.HTTPError) else type(failure).__name__
            warn(f"{url.scheme}://{url.hostname}: {why}")

    def _payload(self, error: BaseException | None) -> dict[str, Any]:
        payload: dict[str, Any] = {"status": "COMPLETED" if error is None else "FAILED"}
        if run_id := os.environ.get("AUTOMATION_RUN_ID"):
            payload["run_id"] = run_id
        if error is not None:
            detail = str(error)[:LONGEST_DETAIL]
            payload["error"] = {"source": "environment", "code": type(error).__name__, "detail": detail}
        return {**payload, **self._told}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Another address was not meant to get the key."""

    def redirect_request(self, *_: Any) -> None:
        return None


def warn(why: str) -> None:
    warnings.warn(f"the completion callback was not delivered: {why}", RuntimeWarning, stacklevel=4)
