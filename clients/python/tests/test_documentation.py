"""What the pages say in Python runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BLOCKS = [
    pytest.param(text, id=f"{page}:{number}")
    for page in ("clients/python/README.md", "docs/languages.md")
    for number, text in enumerate(re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S))
]


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize("text", BLOCKS)
def test_a_block_runs(text: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes\n")
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout != ""
