"""What blocks, and when: the same stacks under the small engine and under the real command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Protocol

import pytest

from tests.small_engine.pulumi_command import need_pulumi

from .pulumi_programs import (
    AUTONAMED,
    BROKEN,
    BY_ARN,
    CLEAN,
    COMPLIANT,
    EVERY_LAST_PIECE,
    LAST_PIECES,
    LEDGER,
    READING,
    LastPiece,
    write_program,
)
from .stacks import PACK, ROOT, RULES_FILE, PulumiStack, SmallEngineStack, Stack, StartStack

RULES = """
version: 1
accounts: {main: "111122223333"}
teams:
  payments: {principals: [role/payments-*]}
keys:
  - name: payments data
    match: {urn: "*aws:kms/key:Key::payments*"}
    allow:
      payments: [use, view]
"""
KEY = "aws:kms/key:Key payments"
# The evaluator fails, not the code around it.
FAILING = """
    import sys
    sys.path.append({root!r})
    import kms_access.rules

    def assess(inventory, rules):
        raise KeyError("injected")

    kms_access.rules.assess = assess
    from pulumi_policy import PolicyPack
    from policypack.policies import policies
    PolicyPack("kms-access", policies())
"""


# As if the machine had run out of memory.
DYING = """
    import os
    from pulumi_policy import PolicyPack, ResourceValidationPolicy

    def die(args, report):
        if args.resource_type == "aws:kms/key:Key":
            os._exit(137)

    PolicyPack("kms-access", [ResourceValidationPolicy("kms-access", "dies", die)])
"""


class Begin(Protocol):
    def __call__(
        self,
        source: str,
        rules: str = RULES,
        pack: Path = PACK,
        policy_config: Mapping[str, object] | None = None,
    ) -> Stack: ...


@pytest.fixture(params=[SmallEngineStack, PulumiStack], ids=["small engine", "pulumi"])
def start(request: pytest.FixtureRequest, project: Path, tmp_path: Path) -> Begin:
    """Begins a new stack in the folder of the project."""
    stack: StartStack = request.param
    if request.param is PulumiStack:
        need_pulumi()

    def begin(
        source: str,
        rules: str = RULES,
        pack: Path = PACK,
        policy_config: Mapping[str, object] | None = None,
    ) -> Stack:
        (project / RULES_FILE).write_text(rules)
        write_program(project, source)
        return stack(project, tmp_path / "own", pack, policy_config)

    return begin


def test_a_compliant_stack_is_never_bothered(start: Begin) -> None:
    stack = start(COMPLIANT)
    preview = stack.preview()
    assert (preview.exit_code, preview.told, preview.exists) == (0, (), frozenset())
    assert "0 findings, 0 undecided" in preview.output
    assert {operation for operation, _ in preview.steps} == {"create"}
    planned = {resource for _, resource in preview.steps}
    assert len(planned) == 10

    update = stack.up(skip_preview=True)
    assert (update.exit_code, update.told) == (0, ())
    assert update.exists == planned
    assert update.steps == preview.steps

    second = stack.preview()
    assert (second.exit_code, second.told) == (0, ())
    assert second.steps == {("same", resource) for resource in planned}


def test_a_name_that_the_engine_makes_up_stands_for_the_one_to_come(start: Begin) -> None:
    preview = start(AUTONAMED).preview()
    assert (preview.exit_code, preview.told) == (0, ())


def test_the_preview_of_a_new_stack_is_blocked(start: Begin) -> None:
    ended = start(BROKEN).up()
    assert ended.exit_code != 0
    assert ended.exists == frozenset()
    assert [(item.level, item.resource) for item in ended.told] == [("mandatory", KEY)]
    assert "role billing can decrypt with key alias/payments" in ended.text
    assert 'key policy, statement "Users", allows kms:Decrypt to role/billing' in ended.text
    assert f"{RULES_FILE}:7 'payments data' lets only payments do this" in ended.text


def test_one_preview_shows_every_way_to_get_access(start: Begin) -> None:
    preview = start(EVERY_LAST_PIECE).preview()
    assert preview.exit_code != 0
    assert preview.exists == frozenset()
    shown = {
        kind: f"role {piece.role} can decrypt with" in preview.text
        for kind, piece in LAST_PIECES.items()
    }
    assert all(shown.values()), shown


@pytest.mark.parametrize("piece", LAST_PIECES.values(), ids=LAST_PIECES)
def test_an_update_stops_before_the_last_piece_exists(start: Begin, piece: LastPiece) -> None:
    ended = start(piece.source).up(skip_preview=True)
    assert ended.exit_code != 0
    assert ended.blocked == [piece.resource]
    assert f"role {piece.role} can decrypt with" in ended.text
    assert piece.resource not in ended.exists
    assert ended.exists == piece.before


def test_what_is_unknown_at_preview_blocks_it_as_undecided(start: Begin) -> None:
    preview = start(BY_ARN.format(role="payments-api")).preview()
    assert preview.exit_code != 0
    assert preview.blocked == [KEY]
    assert "error  undecided" in preview.text
    assert 'the policy of key "payments" depends on role "payments-api"' in preview.text
    assert 'from "arn:aws:iam::111122223333:role/payments-api"' in preview.text


def test_what_is_unknown_at_preview_is_decided_in_the_update(start: Begin, project: Path) -> None:
    stack = start(BY_ARN.format(role="billing"), RULES + "checks: {undecided: warning}\n")
    preview = stack.preview()
    assert preview.exit_code == 0
    assert {item.level for item in preview.told} == {"advisory"}

    forbidden = stack.up()
    assert forbidden.exit_code != 0
    assert forbidden.blocked == [KEY]
    assert "role billing can decrypt with key payments" in forbidden.text
    assert forbidden.exists == {"aws:iam/role:Role billing"}

    write_program(project, BY_ARN.format(role="payments-api"))
    allowed = stack.up()
    assert (allowed.exit_code, allowed.blocked) == (0, [])
    assert {KEY, "aws:kms/grant:Grant grant"} < allowed.exists
    second = stack.preview()
    assert (second.exit_code, second.told) == (0, ())


def test_what_is_only_read_shows_by_what_the_stack_adds_to_it(start: Begin) -> None:
    preview = start(READING).preview()
    assert {("read", "aws:kms/key:Key ledger"), ("read", "aws:iam/role:Role legacy")} < (
        preview.steps
    )
    assert preview.blocked == [KEY]
    assert "role legacy can decrypt with key payments" in preview.text
    # A pack is never shown a resource that is read: only the grant tells that there is a key.
    assert "not evaluated: ledger" in preview.output
    assert LEDGER in preview.output


def test_a_failure_of_the_pack_blocks_and_says_that_it_is_ours(
    start: Begin, tmp_path: Path
) -> None:
    stack = start(CLEAN, pack=write_pack(tmp_path, FAILING.format(root=str(ROOT))))
    for ended in (stack.preview(), stack.up(skip_preview=True)):
        assert ended.exit_code != 0
        assert {item.level for item in ended.told} == {"mandatory"}
        assert "kms-access itself failed, so nothing was decided" in ended.text
        assert "KeyError: 'injected'" in ended.text
        assert "policypack/_evaluation.py:" in ended.text
        assert KEY not in ended.exists


def test_a_pack_that_dies_stops_everything(start: Begin, tmp_path: Path) -> None:
    stack = start(CLEAN, pack=write_pack(tmp_path, DYING))
    for ended in (stack.preview(), stack.up(skip_preview=True)):
        assert ended.exit_code != 0
        assert "failed to run policy" in ended.output
        assert KEY not in ended.exists


def test_a_missing_configured_rules_file_blocks(start: Begin, project: Path) -> None:
    preview = start(CLEAN, policy_config={"kms-access": {"rules": "no.yaml"}}).preview()
    assert preview.exit_code != 0
    assert {item.level for item in preview.told} == {"mandatory"}
    assert f'does not exist; looked for "{project / "no.yaml"}"' in preview.text


def write_pack(folder: Path, source: str) -> Path:
    pack = folder / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text(
        "version: 0.1.0\nruntime: {name: python, options: {toolchain: pip}}\n"
    )
    (pack / "__main__.py").write_text(dedent(source))
    return pack
