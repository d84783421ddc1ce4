"""The script that writes the vendored AWS managed policies, and its file against moto (K185)."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kms_access.inventory.actions import KMS_ACTIONS
from kms_access.inventory.detour_actions import DETOUR_ACTIONS
from kms_access.inventory.managed_policies import managed_policy, vendored_policies
from kms_access.policies.answers import Truth
from kms_access.policies.document import Statement
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.parsing import parse_policy

SCRIPT = Path(__file__).parents[2] / "scripts" / "generate_managed_policies.py"


def _table(*statements: Any, **more: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements), **more}
    entry = {"DefaultVersionId": "v3", "Document": document, "Path": "/service-role/"}
    return {"P": {**entry, "UpdateDate": "2026-01-02T03:04:05+00:00"}}


def _allow(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "kms:*", "Resource": "*", **elements}


def _but(action: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "NotAction": action, "Resource": "*"}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_managed_policies", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class TestReduction:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            (_allow(), _allow()),
            (_allow(Action=["s3:*", "KMS:Decrypt"]), _allow(Action="KMS:Decrypt")),
            (_allow(Action=["*:Get*", "k?s:x", "s3:*"]), _allow(Action=["*:Get*", "k?s:x"])),
            (_allow(Action="kms:NewerAction"), _allow(Action="kms:NewerAction")),
            (_allow(Action=["s3:*", "kmsx:Decrypt", "km:*"]), None),
            (
                _allow(Resource=["arn:aws:s3:::a", "arn:*:k*:*:*:key/*"]),
                _allow(Resource="arn:*:k*:*:*:key/*"),
            ),
            (_allow(Resource="arn:*:s3:::*"), None),
            (_allow(Resource="arn:aws*"), _allow(Resource="arn:aws*")),
            (_allow(Resource="arn:${a:b}:kms:*:*:*"), _allow(Resource="arn:${a:b}:kms:*:*:*")),
            (_but(["s3:*", "kms:Decrypt"]), _but(["s3:*", "kms:Decrypt"])),
            (_but(["kms:*", *DETOUR_ACTIONS]), None),
            (_but(["kms:*", "iam:*", "sts:*"]), _but(["kms:*", "iam:*", "sts:*"])),
            (_but(["kms:D*", *DETOUR_ACTIONS]), _but(["kms:D*", *DETOUR_ACTIONS])),
            (_but("*"), None),
            (_but("kms:?*"), _but("kms:?*")),
            (
                {"Effect": "Deny", "Action": ["s3:*", "*"], "NotResource": ["arn:aws:kms:*"]},
                {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:kms:*"]},
            ),
            (_allow(Sid="S", Condition={"Bool": {}}), _allow(Sid="S", Condition={"Bool": {}})),
            (
                _allow(Action=["iam:Get*", "IAM:Pass*", "kms:*"], Resource=["arn:aws:s3:::a", "*"]),
                _allow(Action=["IAM:Pass*", "kms:*"], Resource=["arn:aws:s3:::a", "*"]),
            ),
            (
                _allow(Action=["kms:*", "iam:PassRole"], Resource="arn:aws:iam::*:role/*"),
                _allow(Action="iam:PassRole", Resource="arn:aws:iam::*:role/*"),
            ),
            (_allow(Action=["lambda:Get*", "iam:PassRoles", "sts:Assume"]), None),
        ],
    )
    def test_what_can_match_is_kept(self, script: ModuleType, written: Any, kept: Any) -> None:
        extract = script.build(_table({**_allow(), "Action": "s3:*"}, written))
        if kept is None:
            assert (extract.policies, extract.names_alone) == ({}, ["service-role/P"])
        else:
            entry = {"version": "v3", "statements": {"1": kept}}
            assert (extract.policies, extract.names_alone) == ({"service-role/P": entry}, [])

    @pytest.mark.parametrize(
        ("action", "with_kms", "with_detours"),
        [("kms:*", 1, 0), ("iam:*", 0, 1), ("*", 1, 1), ("s3:*", 0, 0)],
    )
    def test_policies_on_kms_and_on_detours_are_counted(
        self, script: ModuleType, action: str, with_kms: int, with_detours: int
    ) -> None:
        extract = script.build(_table(_allow(Action=action), _allow(Action=action)))
        assert (extract.with_kms, extract.with_detours) == (with_kms, with_detours)

    def test_a_single_statement_needs_no_list(self, script: ModuleType) -> None:
        extract = script.build(_table(Statement=_allow()))
        assert extract.policies["service-role/P"]["statements"] == {"0": _allow()}

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (_table(Version="2008-10-17"), '"service-role/P" has the Version "2008-10-17"'),
            (_table(_allow(Principal="*")), '"service-role/P" has a statement with Principal'),
        ],
    )
    def test_a_form_that_has_not_been_seen_is_refused(
        self, script: ModuleType, table: Any, message: str
    ) -> None:
        with pytest.raises(script.TableError, match=message) as caught:
            script.build(table)
        assert caught.value.help


class TestScript:
    """The command, over a small table in place of moto's."""

    @pytest.fixture
    def command(
        self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> Callable[..., int]:
        monkeypatch.setattr(script, "installed_version", lambda: "5.2.5")
        monkeypatch.setattr(script, "read_table", lambda: _table(_allow(), _allow()))
        return lambda *arguments: int(script.main(list(arguments), tmp_path / "data.json"))

    def test_writes_sources_policies_and_the_same_bytes_twice(
        self, command: Callable[..., int], tmp_path: Path
    ) -> None:
        written = []
        for _ in range(2):
            assert command() == 0
            written.append((tmp_path / "data.json").read_bytes())
        assert written[0] == written[1]
        assert json.loads(written[0]) == {
            "generated_by": "scripts/generate_managed_policies.py",
            "sources": {"moto": "5.2.5", "newest_change": "2026-01-02"},
            "number_of_policies": 1,
            "number_with_kms": 1,
            "number_with_detours": 0,
            "policies": {
                "service-role/P": {
                    "version": "v3",
                    "statements": {"0": _allow(), "1": "service-role/P#0"},
                }
            },
            "names_alone": [],
        }

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda text: text, 0),
            (lambda text: text.replace('"moto": "5.2.5"', '"moto": "5.2.4"'), 0),
            (lambda text: text.replace("2026-01-02", "2026-01-01"), 1),
            (lambda text: text.replace('"number_of_policies": 1', '"number_of_policies": 2'), 1),
            (lambda text: text.replace("kms:*", "kms:Decrypt"), 1),
            (lambda text: text.replace("\n", "\r\n"), 1),
            (lambda text: "", 1),
            (lambda text: "[]", 1),
        ],
    )
    def test_check_finds_changed_facts_and_writes_nothing(
        self, command: Callable[..., int], tmp_path: Path, change: Callable[[str], str], code: int
    ) -> None:
        assert command() == 0
        changed = change((tmp_path / "data.json").read_text(encoding="utf-8")).encode()
        (tmp_path / "data.json").write_bytes(changed)
        assert command("--check") == code
        assert (tmp_path / "data.json").read_bytes() == changed

    def test_check_finds_a_missing_file(self, command: Callable[..., int], tmp_path: Path) -> None:
        assert command("--check") == 1
        assert not (tmp_path / "data.json").exists()

    def test_a_missing_package_is_named_and_nothing_written(
        self,
        script: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(script, "PACKAGE", "no-such-package")
        assert script.main([], tmp_path / "data.json") == 2
        assert not (tmp_path / "data.json").exists()
        assert capsys.readouterr().err.startswith(
            'error: package "no-such-package" is not installed\nhelp: '
        )


@pytest.fixture(scope="module")
def recorded_moto() -> None:
    """Needs the package of which the file is made, which is large and no run-time dependency."""
    recorded = vendored_policies().moto
    try:
        installed = metadata.version("moto")
    except metadata.PackageNotFoundError:
        pytest.skip(f"moto {recorded}, the source of the file, is not installed")
    if installed != recorded:
        pytest.skip(f"the file is made from moto {recorded}, installed is {installed}")


@pytest.mark.usefixtures("recorded_moto")
class TestAgainstMoto:
    def test_the_file_is_what_the_script_makes_of_moto(
        self, script: ModuleType, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert script.main(["--check"]) == 0, capsys.readouterr().err

    def test_every_document_says_of_its_actions_what_the_whole_policy_says(
        self, script: ModuleType
    ) -> None:
        """At every place the same actions match, under the same other elements."""
        compared = 0
        for entry_name, entry in script.read_table().items():
            name = entry["Path"].removeprefix("/") + entry_name
            document = managed_policy(f"arn:aws:iam::aws:policy/{name}")
            assert document is not None, name
            reduced = {statement.index: statement for statement in document.statements}
            for place, written in enumerate(_as_list(entry["Document"]["Statement"])):
                expected = _matched_where_written(written)
                found = reduced.pop(place, None)
                assert _matched(found, written) == expected, (name, place)
                if found is not None:
                    whole = _parsed(written, on_kms_alone=not expected & DETOUR_ACTIONS)
                    assert replace(found, action=None, index=0) == replace(whole, action=None)
            assert not reduced, name
            compared += 1
        assert compared == vendored_policies().count


KMS_NAMES = frozenset(action.name for action in KMS_ACTIONS.values())


def _matched_where_written(written: dict[str, Any]) -> frozenset[str]:
    """The actions that a whole statement matches; of KMS only if it has resources of KMS."""
    asked = _asked(written)
    if "Action" in written:
        return asked & _by_any(written["Action"])
    return asked - _by_any(written["NotAction"])


def _matched(statement: Statement | None, written: dict[str, Any]) -> frozenset[str]:
    if statement is None:
        return frozenset()
    assert statement.action is not None
    matches = statement.action.matches
    return frozenset(a for a in _asked(written) if matches(a).truth is Truth.TRUE)


def _asked(written: dict[str, Any]) -> frozenset[str]:
    of_kms = any(map(_can_be_of_kms, _as_list(written.get("Resource", "*"))))
    return DETOUR_ACTIONS | KMS_NAMES if of_kms else DETOUR_ACTIONS


def _by_any(patterns: Any) -> frozenset[str]:
    return frozenset[str]().union(*map(_by_pattern, _as_list(patterns)))


@cache
def _by_pattern(pattern: str) -> frozenset[str]:
    compiled = _compiled(pattern)
    return frozenset(a for a in DETOUR_ACTIONS | KMS_NAMES if compiled.fullmatch(a))


@cache
def _can_be_of_kms(resource: str) -> bool:
    segments = re.sub(r"\$\{.*?\}", "*", resource).split(":", 5)
    return len(segments) < 6 or _compiled(segments[2]).fullmatch("kms") is not None


def _compiled(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.IGNORECASE | re.ASCII)


def _parsed(written: dict[str, Any], *, on_kms_alone: bool) -> Statement:
    if on_kms_alone and "Resource" in written:
        resources = [item for item in _as_list(written["Resource"]) if _can_be_of_kms(item)]
        written = {**written, "Resource": resources}
    grammar = replace(IDENTITY_POLICY, maximum_characters=0, maximum_bytes=0)
    (statement,) = parse_policy(
        {"Version": "2012-10-17", "Statement": [written]}, grammar
    ).statements
    return statement


def _as_list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [node]
