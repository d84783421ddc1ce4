"""Hostile and odd input ends in a finding, a problem or an error with its place; nothing is lost.

The small inputs stand in `tests/cases/hostile`, the large ones are built here. The guard against
hanging is far above the real cost; `benchmarks/test_hostile.py` measures that cost.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kms_access.cli import main
from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.request_json import RequestError, answer, read_request
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies.grammar import IDENTITY_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.policies.wildcards import Pattern
from kms_access.rules import RulesError, load_rules
from kms_access.sources import SourceError, load
from tests.builders import ACCOUNT, allow, document, iam, role_arn, user_arn

CASES = Path(__file__).parent / "cases" / "hostile"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ALICE, BOB = user_arn("alice"), user_arn("bob")
SIBLING = allow(role_arn("named-beside"), "kms:Decrypt")
RULES = f'version: 1\naccounts: {{main: "{ACCOUNT}"}}\n'
SECONDS = 20


@pytest.fixture(autouse=True)
def hang_guard() -> Iterator[None]:
    """Ends a test that uses the processor for longer than any of these inputs may."""

    def hangs(*_: object) -> None:
        raise AssertionError(f"more than {SECONDS} seconds of processor time")

    before = signal.signal(signal.SIGVTALRM, hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def table(file: str) -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((CASES / file).read_text(encoding="utf-8"))
    return {f"{case['row']}: {case['name']}": case for case in content["cases"]}


POLICIES, TEMPLATES, RULES_FILES = (
    table("policies.yaml"),
    table("templates.yaml"),
    table("rules.yaml"),
)


def line(principal: str = ALICE, action: str = "kms:Decrypt", **more: Any) -> str:
    asked = {"principal": principal, "action": action, "resource": KEY, "account": ACCOUNT}
    return json.dumps(asked | more)


def decide(**request: Any) -> str:
    return str(answer(read_request(line(**request)))["decision"])


def template(key_policy: Any, resources: Mapping[str, Any] | None = None, **sections: Any) -> Any:
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key_policy}}
    return {"Resources": {"Key": key, **(resources or {})}, **sections}


def check(folder: Path, text: object, file: str = "t.json", rules: str = RULES) -> int:
    """The exit code of `kms-access check` on a template."""
    path = folder / file
    written = text if isinstance(text, str) else json.dumps(text)
    path.write_text(written, encoding="utf-8")
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    return main(["check", "--rules", str(folder / "rules.yaml"), str(path)])


# Small inputs: the tables


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_read_without_loss(name: str) -> None:
    case = POLICIES[name]
    problems = parse_policy(case["policy"], KEY_POLICY).problems
    assert {problem.rule for problem in problems} == set(case["rules"])
    if "position" in case:
        assert str(problems[0].position) == case["position"]
    assert decide(resourcePolicy=case["policy"]) == case["alice"]
    if "bob" in case:
        found = decide(principal=BOB, action="kms:Encrypt", resourcePolicy=case["policy"])
        assert found == case["bob"]


@pytest.mark.parametrize("name", [name for name in POLICIES if POLICIES[name]["rules"]])
def test_a_broken_policy_of_a_template_never_passes(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(tmp_path, template(POLICIES[name]["policy"])) in (1, 3)
    output = capsys.readouterr().out
    assert "invalid-policy" in output or "undecided" in output


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_ends_in_findings_or_an_error_with_its_place(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = TEMPLATES[name]
    text = case["text"].replace("SIBLING", json.dumps(SIBLING))
    code = check(tmp_path, text, case["file"])
    if "error" in case:
        assert code == 2
        with pytest.raises(SourceError) as caught:
            load([tmp_path / case["file"]])
        assert case["error"] in caught.value.message
        assert (caught.value.line, caught.value.column) == (case.get("line"), case.get("column"))
    else:
        assert code == case["code"]
        assert case["says"] in capsys.readouterr().out


@pytest.mark.parametrize("name", [name for name in TEMPLATES if "beside" in TEMPLATES[name]])
def test_what_stands_beside_it_is_still_evaluated(name: str, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    text = TEMPLATES[name]["text"].replace("SIBLING", json.dumps(SIBLING))
    path.write_text(text, encoding="utf-8")
    facts = access_map(load([path], account=ACCOUNT))
    states = facts.states(find_subject(facts, "named-beside"), find_key(facts, "Key"))
    assert states["kms:Decrypt"].value == TEMPLATES[name]["beside"]


@pytest.mark.parametrize("name", RULES_FILES)
def test_a_rules_file_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    case = RULES_FILES[name]
    path = tmp_path / "access-rules.yaml"
    path.write_text(case["text"], encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        load_rules(path)
    assert case["error"] in caught.value.message
    assert (caught.value.line, caught.value.column) == (case.get("line"), case.get("column"))
