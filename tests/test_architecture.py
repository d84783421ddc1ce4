"""The rooms of the design: what may import what."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("policies", "inventory", "sources", "decisions", "rules", "reports")
"""In the direction in which data flows."""
# sources and decisions both build on the inventory and know nothing of each other
ALLOWED = {
    "policies": set(),
    "inventory": {"policies"},
    "sources": {"policies", "inventory"},
    "decisions": {"policies", "inventory"},
    "rules": {"policies", "inventory", "decisions"},
    "reports": {"policies", "inventory", "decisions", "rules"},
}


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "node_modules" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_from_further_down_the_flow(room: str) -> None:
    files = modules(ROOT / "kms_access" / room)
    assert files
    for path in files:
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "kms_access" and len(parts) > 1:
                assert parts[1] in {room} | ALLOWED[room], f"{path} imports {name}"


def test_the_shared_evaluator_imports_neither_engine_nor_network() -> None:
    third_party = {"yaml"}
    own = {"kms_access", "__future__"}
    network = {"socket", "http", "urllib", "ssl", "ftplib", "smtplib", "xmlrpc", "asyncio"}
    for path in modules(ROOT / "kms_access"):
        for name in imports(path):
            top = name.split(".")[0]
            assert top in own | third_party | sys.stdlib_module_names, f"{path} imports {name}"
            assert top not in network, f"{path} imports {name}"


def test_the_policy_language_knows_no_kms() -> None:
    for path in modules(ROOT / "kms_access" / "policies"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documentation = {
            node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value in documentation or "kms:" not in node.value, path


@pytest.mark.parametrize(
    "folder", ["kms_access", "policypack", "cdk_aspects", "account_snapshot", "tests"]
)
def test_modules_have_one_subject(folder: str) -> None:
    allowed = {"test_small_engine.py"}
    for path in modules(ROOT / folder):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 400 or path.name in allowed, f"{path} has {lines} lines"
