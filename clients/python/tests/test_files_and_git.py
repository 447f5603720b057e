from __future__ import annotations

import os
from pathlib import Path

import pytest

from yonder_workspace import GitChange, GitChangeStatus, RemoteWorkspace, WorkspaceError


def test_a_file_goes_up_and_down_with_its_mode_and_time(workspace: RemoteWorkspace, tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "deep/copy"
    source.write_bytes(os.urandom(1_000_000))
    source.chmod(0o750)
    os.utime(source, ns=(0, 1_500_000_000_123_456_789))

    up = workspace.file_upload(source, "deep/er/é file")
    assert (up.success, up.file_size, up.error) == (True, 1_000_000, None)
    assert (up.source_path, up.destination_path) == (str(source), "deep/er/é file")
    down = workspace.file_download("deep/er/é file", copy)
    assert (down.success, down.file_size) == (True, 1_000_000)
    assert copy.read_bytes() == source.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o750
    # Microseconds survive every file system on the way.
    assert copy.stat().st_mtime_ns // 1000 == 1_500_000_000_123_456
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_an_empty_file_is_a_file(workspace: RemoteWorkspace, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert workspace.file_upload(tmp_path / "empty", "empty").file_size == 0
    assert workspace.file_download("empty", tmp_path / "back").file_size == 0
    assert (tmp_path / "back").read_bytes() == b""


def test_what_fails_is_a_result_that_says_why_and_leaves_nothing(workspace: RemoteWorkspace, tmp_path: Path) -> None:
    up = workspace.file_upload(tmp_path / "missing", "there")
    assert not up.success and "missing" in (up.error or "") and up.file_size is None
    assert workspace.execute_command("ls").stdout == ""
    down = workspace.file_download("nowhere", tmp_path / "x")
    assert not down.success and "nowhere" in (down.error or "")
    assert list(tmp_path.iterdir()) == []
    workspace.execute_command("touch file")
    down = workspace.file_download("file", tmp_path)
    assert down.error == f"[Errno 21] Is a directory: '{tmp_path}'"


def test_an_upload_goes_on_after_cuts(host: str, key: str, workspace: RemoteWorkspace, proxy, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(6_000_000))
    proxy.cut_after_up = 2_000_000
    with RemoteWorkspace(proxy.url, workspace.working_dir, key) as weathered:
        assert weathered.file_upload(source, "file").error is None
    assert proxy.cuts >= 2
    assert workspace.file_download("file", tmp_path / "back").success
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def test_a_download_goes_on_after_cuts(key: str, workspace: RemoteWorkspace, proxy, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(6_000_000))
    assert workspace.file_upload(source, "file").success
    proxy.cut_after_down = 2_000_000
    with RemoteWorkspace(proxy.url, workspace.working_dir, key) as weathered:
        assert weathered.file_download("file", tmp_path / "back").error is None
    assert proxy.cuts >= 2
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def test_output_goes_on_after_cuts_without_a_byte_lost(key: str, workspace: RemoteWorkspace, proxy) -> None:
    # More than one event may have, so that each connection brings something.
    proxy.cut_after_down = 2_500_000
    pieces: list[str] = []
    with RemoteWorkspace(proxy.url, workspace.working_dir, key) as weathered:
        result = weathered.execute_command("seq 1 1500000", on_stdout=pieces.append, timeout=120)
    assert proxy.cuts >= 3
    assert "".join(pieces) == result.stdout == "".join(f"{line}\n" for line in range(1, 1_500_001))


REPOSITORY = """git init -q -b main . && echo 1 > changed && echo 1 > gone && printf 'a\\r\\n' > 'old name' &&
  git add . &&
  git -c user.name=T -c user.email=t@localhost commit -q -m first &&
  echo 2 > changed && rm gone && git mv 'old name' 'new é name' && echo n > fresh && printf '\\0' > binary"""


def test_git_says_what_changed(workspace: RemoteWorkspace) -> None:
    assert workspace.execute_command(REPOSITORY).exit_code == 0
    assert workspace.git_changes(".") == [
        GitChange(GitChangeStatus.ADDED, Path("binary")),
        GitChange(GitChangeStatus.UPDATED, Path("changed")),
        GitChange(GitChangeStatus.ADDED, Path("fresh")),
        GitChange(GitChangeStatus.DELETED, Path("gone")),
        GitChange(GitChangeStatus.MOVED, Path("new é name"), Path("old name")),
    ]


def test_git_says_what_a_file_was_and_is(workspace: RemoteWorkspace) -> None:
    assert workspace.execute_command(REPOSITORY).exit_code == 0
    changed, gone, fresh = (workspace.git_diff(path) for path in ("changed", "gone", "fresh"))
    assert (changed.original, changed.modified) == ("1\n", "2\n")
    assert (gone.original, gone.modified) == ("1\n", None)
    assert (fresh.original, fresh.modified) == (None, "n\n")
    binary = workspace.git_diff("binary")
    assert (binary.binary, binary.modified) == (True, None)


def test_a_diff_of_large_files_is_whole(workspace: RemoteWorkspace) -> None:
    workspace.execute_command(
        "git init -q . && seq 1 300000 > big && git add . && git -c user.name=T -c user.email=t@l commit -q -m a"
    )
    workspace.execute_command("seq 1 400000 > big")
    diff = workspace.git_diff("big")
    assert diff.original == "".join(f"{line}\n" for line in range(1, 300_001))
    assert diff.modified == "".join(f"{line}\n" for line in range(1, 400_001))


def test_no_repository_raises(workspace: RemoteWorkspace) -> None:
    with pytest.raises(WorkspaceError) as caught:
        workspace.git_changes(".")
    assert caught.value.reason == "NOT_A_REPOSITORY"
