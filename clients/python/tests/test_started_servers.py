"""LocalWorkspace and DockerWorkspace, which start what they talk to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from yonder_workspace import DockerWorkspace, LocalWorkspace, StartFailed

ROOT = Path(__file__).parents[3]
SERVER = ["node", str(ROOT / "cli/bin/yonder.js")]


def test_a_local_workspace_runs_commands_here_and_ends_with_its_scope(tmp_path: Path) -> None:
    with LocalWorkspace(tmp_path / "work", server=SERVER) as workspace:
        path = workspace.host.removeprefix("unix:")
        assert workspace.alive
        assert workspace.execute_command("echo hi > file && pwd").stdout.strip() == str(tmp_path / "work")
        assert workspace.file_download("file", tmp_path / "copy").file_size == 3
        workspace.pause()
        workspace.resume()
        pid = workspace.execute_command("sleep 300 > /dev/null & echo $!").stdout.strip()
        assert Path(f"/proc/{pid}").exists()
    assert is_gone(int(pid))
    assert not os.path.exists(path)


def test_a_program_that_is_killed_leaves_neither_server_nor_command_nor_file(tmp_path: Path) -> None:
    program = f"""if True:
        import os, sys
        from yonder_workspace import LocalWorkspace

        workspace = LocalWorkspace({str(tmp_path / "work")!r}, server={SERVER!r})
        print(workspace.execute_command("sleep 300 > /dev/null & echo $PPID $!").stdout, flush=True)
        os.kill(os.getpid(), 9)
    """
    (tmp_path / "scratch").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "scratch")}
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert killed.returncode == -9, killed.stderr
    server, command = (int(pid) for pid in killed.stdout.split())
    deadline = time.monotonic() + 30
    while not (is_gone(server) and is_gone(command)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_gone(server)
    assert is_gone(command)
    assert list((tmp_path / "scratch").iterdir()) == []


def is_gone(pid: int) -> bool:
    """Gone, or dead where nobody collects the dead."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="no-such-program") as caught:
        LocalWorkspace(tmp_path, server=["no-such-program"])
    assert caught.value.reason == "PROGRAM_NOT_FOUND"
    with pytest.raises(StartFailed, match="ended with 4; it printed: no --socket=") as caught:
        LocalWorkspace(tmp_path, server=["sh", "-c", 'echo "no $2"; exit 4', "sh"])
    assert caught.value.reason == "SERVER_EXITED"


def test_a_docker_client_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="no-such-program"):
        DockerWorkspace(docker=["no-such-program"])
    fake = tmp_path / "docker"
    fake.write_text("#!/bin/sh\necho 'no engine' >&2\nexit 1\n")
    fake.chmod(0o755)
    with pytest.raises(StartFailed, match="no engine") as caught:
        DockerWorkspace(docker=[str(fake)])
    assert "sha256" not in str(caught.value)


@pytest.mark.engine
def test_an_image_that_is_not_there_is_named_with_the_way_out() -> None:
    with pytest.raises(StartFailed, match=r"no image localhost:1/no-such-image .*docker build") as caught:
        DockerWorkspace("localhost:1/no-such-image")
    assert caught.value.reason == "IMAGE_NOT_FOUND"
    assert caught.value.subject == "localhost:1/no-such-image"


@pytest.mark.engine
def test_a_container_takes_the_port_that_it_is_given(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with DockerWorkspace(os.environ["YONDER_TEST_IMAGE"], host_port=port) as workspace:
        assert workspace.host == f"http://127.0.0.1:{port}"


@pytest.mark.engine
def test_a_port_that_is_taken_leaves_no_container() -> None:
    mark = f"--label=yonder-test-port={os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(StartFailed, match="address already in use"):
        DockerWorkspace(os.environ["YONDER_TEST_IMAGE"], host_port=server.getsockname()[1], run_options=[mark])
    left = ["docker", "ps", "--all", "--quiet", f"--filter={mark.removeprefix('--')}"]
    assert subprocess.run(left, capture_output=True, text=True).stdout == ""


@pytest.mark.engine
def test_a_docker_workspace_runs_in_a_container_and_is_removed_with_its_scope(tmp_path: Path) -> None:
    with DockerWorkspace(os.environ["YONDER_TEST_IMAGE"]) as workspace:
        container = workspace.container_id
        assert workspace.execute_command("pwd").stdout == "/workspace\n"
        (tmp_path / "file").write_text("hi")
        assert workspace.file_upload(tmp_path / "file", "file").file_size == 2
        shown = workspace.execute_command("env; cat /proc/1/environ 2>/dev/null | tr '\\0' '\\n'").stdout
        # The key itself is nowhere that a command can read.
        key = dict(workspace._remote._connection.metadata)["authorization"].removeprefix("Bearer ")
        assert key not in shown
        assert key not in subprocess.run(["docker", "inspect", container], capture_output=True, text=True).stdout
        workspace.pause()
        workspace.resume()
        assert workspace.execute_command("cat file").stdout == "hi"
    gone = subprocess.run(["docker", "inspect", container], capture_output=True)
    assert gone.returncode != 0
