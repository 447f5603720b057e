from __future__ import annotations

import asyncio
import inspect
import itertools
import threading
import time

import pytest

from yonder_workspace import AsyncRemoteWorkspace, ConnectionLost, RemoteWorkspace, WorkspaceError, _connection
from yonder_workspace._capture import Capture

from .proxy import CuttingProxy


def test_a_result_has_what_the_command_printed_and_how_it_ended(workspace: RemoteWorkspace) -> None:
    result = workspace.execute_command("echo out; echo err >&2; exit 3")
    assert (result.command, result.exit_code) == ("echo out; echo err >&2; exit 3", 3)
    assert (result.stdout, result.stderr, result.timeout_occurred) == ("out\n", "err\n", False)
    assert (result.reason, result.truncated) == ("EXITED", 0)


def test_output_is_seen_while_the_command_runs(workspace: RemoteWorkspace) -> None:
    seen: list[str] = []

    def answer(text: str) -> None:
        seen.append(text)
        # The command goes on only once this was called: output that came at the end would never come.
        workspace.execute_command("touch seen")

    result = workspace.execute_command(
        "echo waiting; until [ -e seen ]; do sleep 0.05; done; echo done", on_stdout=answer, timeout=60
    )
    assert result.exit_code == 0
    assert "".join(seen) == result.stdout == "waiting\ndone\n"


def test_a_timeout_keeps_what_was_printed_and_ends_the_tree(workspace: RemoteWorkspace) -> None:
    result = workspace.execute_command("echo begun; sleep 60 & echo $!; wait", timeout=0.5)
    begun, pid = result.stdout.split()
    assert (result.exit_code, result.timeout_occurred, result.reason) == (-1, True, "TIMED_OUT")
    assert begun == "begun"
    # Gone, or dead where nobody collects the dead.
    assert workspace.execute_command(f"grep -q '^State:.[^ZX]' /proc/{pid}/status").exit_code != 0


@pytest.mark.parametrize("timeout", [-1, float("nan"), 1e11])
def test_a_timeout_that_is_none_is_refused(workspace: RemoteWorkspace, timeout: float) -> None:
    with pytest.raises(WorkspaceError, match="None for none"):
        workspace.execute_command("touch ran", timeout=timeout)
    assert workspace.execute_command("ls", timeout=0).stdout == ""


@pytest.mark.parametrize(
    ("command", "code", "reason"), [("kill -9 $$", -9, "SIGNALED"), ("kill -1 $$", -1, "SIGNALED")]
)
def test_a_signal_is_a_negative_exit_code_and_no_timeout(
    workspace: RemoteWorkspace, command: str, code: int, reason: str
) -> None:
    result = workspace.execute_command(command)
    assert (result.exit_code, result.reason, result.timeout_occurred) == (code, reason, False)


def test_a_directory_is_relative_to_the_workspaces(workspace: RemoteWorkspace) -> None:
    workspace.execute_command("mkdir sub")
    assert workspace.execute_command("pwd").stdout.strip().endswith(str(workspace.working_dir))
    assert workspace.execute_command("pwd", cwd="sub").stdout.strip().endswith(f"{workspace.working_dir}/sub")
    assert workspace.execute_command("pwd", "/").stdout == "/\n"


def test_a_directory_that_is_not_there_raises_and_says_so(workspace: RemoteWorkspace) -> None:
    with pytest.raises(WorkspaceError) as caught:
        workspace.execute_command("true", cwd="missing")
    assert caught.value.reason == "DIRECTORY_NOT_FOUND"
    assert "missing" in caught.value.subject


def test_a_key_that_is_not_taken_raises_at_once(host: str) -> None:
    with RemoteWorkspace(host, api_key="another-key-altogether") as workspace:
        with pytest.raises(WorkspaceError) as caught:
            workspace.execute_command("true")
        assert caught.value.reason == "CREDENTIALS_INVALID"
        assert workspace.alive


def test_a_connection_that_goes_silent_is_replaced(
    key: str, workspace: RemoteWorkspace, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_connection, "SILENCE", 1.0)

    def freeze(text: str) -> None:
        if text == "begun\n":
            proxy.freeze()

    with RemoteWorkspace(proxy.url, workspace.working_dir, key) as weathered:
        result = weathered.execute_command("echo begun; sleep 1; echo done", on_stdout=freeze, timeout=60)
    assert (result.exit_code, result.stdout) == (0, "begun\ndone\n")


def test_an_address_where_nobody_is_raises_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_connection, "FIRST_PATIENCE", 0.3)
    with RemoteWorkspace("http://127.0.0.1:1") as workspace:
        with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1:1 did not answer") as caught:
            workspace.execute_command("true", exec_id="mine")
        assert (caught.value.exec_id, caught.value.cursor, caught.value.retryable) == ("mine", 0, True)


def test_nobody_there_is_not_alive() -> None:
    with RemoteWorkspace("http://127.0.0.1:1") as workspace:
        assert not workspace.alive


def test_an_id_never_runs_twice(workspace: RemoteWorkspace) -> None:
    first = workspace.execute_command("echo $RANDOM$RANDOM$RANDOM", exec_id=f"once-{time.time_ns()}")
    again = workspace.execute_command("echo $RANDOM$RANDOM$RANDOM", exec_id=first.exec_id)
    assert again.stdout == first.stdout


def test_environment_reaches_the_command(workspace: RemoteWorkspace) -> None:
    assert workspace.execute_command("echo $GREETING", env={"GREETING": "hi é"}).stdout == "hi é\n"


def test_characters_are_whole_wherever_the_stream_is_cut(workspace: RemoteWorkspace) -> None:
    pieces: list[str] = []
    command = "for i in 1 2 3; do printf '\\303'; sleep 0.05; printf '\\251'; done; printf 'a\\377b'"
    result = workspace.execute_command(command, on_stdout=pieces.append)
    assert result.stdout == "".join(pieces) == "ééé" + "a\ufffdb"


def test_much_output_is_kept_at_both_ends_and_counted(workspace: RemoteWorkspace) -> None:
    seen = 0

    def count(text: str) -> None:
        nonlocal seen
        seen += len(text)

    result = workspace.execute_command("seq 1 1000000", on_stdout=count, max_output_bytes=1000, timeout=120)
    assert result.stdout.startswith("1\n2\n3\n") and result.stdout.endswith("999999\n1000000\n")
    assert (len(result.stdout), seen) == (1000, 6_888_896)
    assert result.truncated == seen - 1000


def test_a_capture_keeps_what_fits() -> None:
    capture = Capture(10)
    for piece in (b"abc", b"defgh", b"", b"ij", b"klmnopq"):
        capture.add(piece)
    assert (capture.text(), capture.dropped) == ("abcde" + "mnopq", 7)


def test_threads_share_one(workspace: RemoteWorkspace) -> None:
    results: list[str] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(workspace.execute_command(f"sleep 0.2; echo {n}").stdout))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [f"{n}\n" for n in range(8)]


def test_a_client_that_is_reset_goes_on(workspace: RemoteWorkspace) -> None:
    begun = threading.Event()
    results: list[str] = []

    def run() -> None:
        command = "echo begun; until [ -e go ]; do sleep 0.05; done; echo done"
        results.append(workspace.execute_command(command, on_stdout=lambda _: begun.set()).stdout)

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(30)
    workspace.reset_client()
    workspace.execute_command("touch go")
    thread.join(30)
    assert results == ["begun\ndone\n"]


def test_a_workspace_that_was_closed_says_so(host: str, key: str) -> None:
    workspace = RemoteWorkspace(host, api_key=key)
    workspace.execute_command("true")
    workspace.close()
    workspace.close()
    with pytest.raises(WorkspaceError, match="closed"):
        workspace.execute_command("true")
    workspace.close()


def test_pause_and_resume_are_not_what_a_server_does(workspace: RemoteWorkspace) -> None:
    with pytest.raises(NotImplementedError, match=r"RemoteWorkspace does not support pause\(\)"):
        workspace.pause()
    with pytest.raises(NotImplementedError):
        workspace.resume()


async def test_the_event_loop_keeps_its_beat_beside_ten_commands(remote: AsyncRemoteWorkspace) -> None:
    beats: list[float] = []

    async def beat() -> None:
        while True:
            beats.append(time.monotonic())
            await asyncio.sleep(0.01)

    ticker = asyncio.ensure_future(beat())
    command = "for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; sleep 0.1; done"
    results = await asyncio.gather(*(remote.execute_command(command) for _ in range(10)))
    ticker.cancel()
    assert all(result.stdout.split()[-1] == "10" for result in results)
    # One that polls with time.sleep(0.1) makes a beat of ten commands take a second.
    late = [after - before for before, after in itertools.pairwise(beats) if after - before > 0.5]
    assert len(beats) > 20 and late == []


async def test_a_callback_may_be_a_coroutine_and_is_waited_for(remote: AsyncRemoteWorkspace) -> None:
    order: list[str] = []

    async def take(text: str) -> None:
        await asyncio.sleep(0.05)
        order.append(text.strip())

    await remote.execute_command("echo a; sleep 0.2; echo b", on_stdout=take)
    assert order == ["a", "b"]


async def test_a_task_that_is_cancelled_stops_reading(remote: AsyncRemoteWorkspace) -> None:
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(remote.execute_command("sleep 5"), 0.3)
    assert await remote.alive()


def test_the_methods_are_openhands_own() -> None:
    for kind in (RemoteWorkspace, AsyncRemoteWorkspace):
        parameters = inspect.signature(kind.execute_command).parameters
        assert list(parameters)[:4] == ["self", "command", "cwd", "timeout"]
        assert (parameters["cwd"].default, parameters["timeout"].default) == (None, 30.0)
        for name, own in {
            "file_upload": ["self", "source_path", "destination_path"],
            "file_download": ["self", "source_path", "destination_path"],
            "git_changes": ["self", "path"],
            "git_diff": ["self", "path"],
            "reset_client": ["self"],
        }.items():
            assert list(inspect.signature(getattr(kind, name)).parameters) == own
