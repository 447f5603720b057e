"""Nothing is whole in memory: neither a file that moves nor what a command prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from yonder_workspace import RemoteWorkspace

# In a process of its own, whose peak nobody else has raised. 200 MiB up, down and printed.
PROGRAM = """
import os, resource, sys
from yonder_workspace import RemoteWorkspace

def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

size = 200 * 1024 * 1024
with RemoteWorkspace(os.environ["YONDER_HOST"], sys.argv[1], os.environ["YONDER_API_KEY"]) as workspace:
    workspace.execute_command("true")
    before = peak()
    assert workspace.file_upload(sys.argv[2], "file").file_size == size
    assert workspace.file_download("file", sys.argv[2] + ".back").file_size == size
    seen = 0

    def count(text: str) -> None:
        global seen
        seen += len(text)

    command = "head -c 209715200 /dev/zero | tr '\\\\0' x"
    result = workspace.execute_command(command, on_stdout=count, timeout=120, max_output_bytes=1024 * 1024)
    assert (result.exit_code, seen, len(result.stdout)) == (0, size, 1024 * 1024), result.stderr
    print(peak() - before)
"""


def test_memory_stays_flat_at_any_size(workspace: RemoteWorkspace, tmp_path: Path) -> None:
    source = tmp_path / "file"
    with source.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    arguments = [sys.executable, "-c", PROGRAM, str(workspace.working_dir), str(source)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100
