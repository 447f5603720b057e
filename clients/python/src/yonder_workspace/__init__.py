"""Remote workspaces: run commands, move files and read git where the code is."""

from .aio import AsyncRemoteWorkspace
from .docker import DockerWorkspace
from .errors import ConnectionLost, StartFailed, WorkspaceError
from .local import LocalWorkspace
from .models import CommandResult, FileOperationResult, GitChange, GitChangeStatus, GitDiff
from .remote import RemoteWorkspace

__all__ = [
    "AsyncRemoteWorkspace",
    "CommandResult",
    "ConnectionLost",
    "DockerWorkspace",
    "FileOperationResult",
    "GitChange",
    "GitChangeStatus",
    "GitDiff",
    "LocalWorkspace",
    "RemoteWorkspace",
    "StartFailed",
    "WorkspaceError",
]
