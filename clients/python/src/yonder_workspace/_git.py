"""What git says."""

from __future__ import annotations

import os
from pathlib import Path

from yonder.workspace.v1 import git_pb2, git_service_pb2, git_service_pb2_grpc

from ._connection import Connection
from .models import GitChange, GitChangeStatus, GitDiff

_STATUS = {
    git_pb2.GIT_CHANGE_STATUS_ADDED: GitChangeStatus.ADDED,
    git_pb2.GIT_CHANGE_STATUS_DELETED: GitChangeStatus.DELETED,
    git_pb2.GIT_CHANGE_STATUS_MOVED: GitChangeStatus.MOVED,
}


async def changes(connection: Connection, path: str) -> list[GitChange]:
    found: list[GitChange] = []
    request = git_service_pb2.ListChangesRequest(path=path)
    while True:
        page = await connection.call(
            lambda on: on.stub(git_service_pb2_grpc.GitServiceStub).ListChanges(
                request, metadata=on.metadata, timeout=on.read_timeout
            )
        )
        for change in page.changes:
            # A change of type, and whatever a newer server tells, is a change.
            status = _STATUS.get(change.status, GitChangeStatus.UPDATED)
            old = path_of(change.old_path, change.raw_old_path) if status is GitChangeStatus.MOVED else None
            found.append(GitChange(status, path_of(change.path, change.raw_path), old))
        if page.next_page_token == "":
            return found
        request.page_token = page.next_page_token


async def diff(connection: Connection, path: str) -> GitDiff:
    request = git_service_pb2.GetDiffRequest(path=path)
    original, modified = bytearray(), bytearray()
    while True:
        part = await connection.call(
            lambda on: on.stub(git_service_pb2_grpc.GitServiceStub).GetDiff(
                request, metadata=on.metadata, timeout=on.read_timeout
            )
        )
        original += part.original.data
        modified += part.modified.data
        if not part.original.truncated and not part.modified.truncated:
            break
        request.etag = part.etag
        request.offset = max(len(original), len(modified))
    has = {side: part.HasField(side) and not part.binary for side in ("original", "modified")}
    return GitDiff(
        modified=modified.decode("utf-8", "replace") if has["modified"] else None,
        original=original.decode("utf-8", "replace") if has["original"] else None,
        binary=part.binary,
    )


def path_of(text: str, raw: bytes) -> Path:
    """A name that is no UTF-8 is kept as Python keeps such names."""
    return Path(os.fsdecode(raw) if raw else text)
