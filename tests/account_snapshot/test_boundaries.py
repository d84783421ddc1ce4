"""kms_access itself never asks AWS: only the command `snapshot` hands over to the collector."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import kms_access

PROGRAM = """
import sys
from kms_access import cli
cli.main(["map", "--snapshot", sys.argv[1]])
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_reading_a_snapshot_loads_neither_boto3_nor_the_collector(tmp_path: Path) -> None:
    from tests.sources.account_snapshot.folder import write

    folder = str(write(tmp_path))
    command = [sys.executable, "-c", PROGRAM, folder]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = result.stdout.splitlines()[-1]
    assert "'kms_access'" in loaded
    for name in ("account_snapshot", "boto3", "botocore"):
        assert f"'{name}'" not in loaded


def test_one_command_alone_knows_the_collector() -> None:
    root = Path(kms_access.__file__).parent
    quoted = '"account_snapshot"'
    found = [f for f in root.rglob("*.py") if quoted in f.read_text(encoding="utf-8")]
    assert [file.relative_to(root).as_posix() for file in found] == ["cli/snapshot.py"]
