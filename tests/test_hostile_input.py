"""Hostile and odd input ends in a finding, a problem or an error with its place; nothing is lost.

The inputs stand in `tests/cases/hostile`: small ones as data, large ones built by code. The guard
against hanging is far above the real cost; `benchmarks/test_hostile.py` measures that cost.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kms_access.cli import main
from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.decisions.request_json import answer, read_request
from kms_access.inventory.key_policies import KEY_POLICY
from kms_access.policies.parsing import parse_policy
from kms_access.rules import RulesError, load_rules
from kms_access.sources import SourceError, load
from tests.builders import ACCOUNT, allow, document, role_arn, user_arn
from tests.cases.hostile.large_maps import MAPS
from tests.cases.hostile.large_sizes import SIZES
from tests.cases.hostile.large_templates import INTRINSICS
from tests.cases.hostile.large_texts import DEPTH, NUMBERS, PATTERNS
from tests.cases.hostile.outcomes import DELEGATED, KEY, template

CASES = Path(__file__).parent / "cases" / "hostile"
ALICE, BOB = user_arn("alice"), user_arn("bob")
SIBLING = allow(role_arn("named-beside"), "kms:Decrypt")
RULES = f'version: 1\naccounts: {{main: "{ACCOUNT}"}}\n'
LARGE = {
    f"{case.row}: {name}": case
    for cases in (PATTERNS, DEPTH, NUMBERS, SIZES, INTRINSICS, MAPS)
    for name, case in cases.items()
}
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


def test_an_empty_text_is_no_policy_except_where_a_template_has_none(tmp_path: Path) -> None:
    assert [problem.rule for problem in parse_policy("", KEY_POLICY).problems] == ["K83"]
    assert decide(resourcePolicy="") == "depends"
    assert check(tmp_path, template("")) == 0  # the key has the default policy (K2)


def test_a_letter_inside_the_accepted_range_makes_an_unknown_action(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_policy = document(DELEGATED, allow(ALICE, ["kms:D\u00e9crypt", "kms:Decrypt"]))
    assert check(tmp_path, template(key_policy)) == 0
    assert 'gives nothing by "kms:D\u00e9crypt": no such action is known' in capsys.readouterr().out


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


# Large inputs


@pytest.mark.parametrize("name", LARGE)
def test_a_large_input_ends_as_expected(name: str, tmp_path: Path) -> None:
    case = LARGE[name]
    found = case.make()(tmp_path)
    assert case.ends_as_expected(found), found


def test_the_hidden_name_is_not_lost_among_50_000(tmp_path: Path) -> None:
    """The last of many principals, statements and values counts like the first."""
    names = [role_arn(f"r{number}") for number in range(1_000)]
    statements = [
        allow(names, "kms:Encrypt"),
        *[allow(BOB, "kms:Sign")] * 100,
        allow(ALICE, "kms:*"),
    ]
    policy = document(*statements)
    assert len(json.dumps(policy)) > 32_768
    assert decide(resourcePolicy=policy) == "depends"
    assert decide(resourcePolicy=document(allow([*names[:400], ALICE], "kms:*"))) == "allowed"


# What reaches a terminal

ESCAPES = "\x1b[31mred\r\n::error::x\u202e\u2028\x9b<b>"
DANGEROUS = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|^::", re.M
)
ROLE: dict[str, Any] = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": document(SIBLING)},
}
EVERYONE = allow("*", "kms:*")
SPOKEN: dict[str, Any] = {
    "a Sid": template(document(EVERYONE | {"Sid": ESCAPES})),
    "an action": template(document(allow("*", f"kms:{ESCAPES}"))),
    "a principal": template(document(allow(role_arn(ESCAPES), "kms:*"))),
    "a service": template(document(allow({"Service": ESCAPES}, "kms:*"))),
    "an element": template(document(EVERYONE | {ESCAPES: "x"})),
    "an Effect": template(document(EVERYONE | {"Effect": ESCAPES})),
    "an operator": template(document(EVERYONE | {"Condition": {ESCAPES: {"x": "y"}}})),
    "a condition key and its value": template(
        document(
            EVERYONE | {"Condition": {"StringEquals": {f"aws:PrincipalTag/{ESCAPES}": ESCAPES}}}
        )
    ),
    "a logical id": {"Resources": {ESCAPES: template(document(EVERYONE))["Resources"]["Key"]}},
    "a type": template(document(EVERYONE), {"X": {"Type": ESCAPES}}),
    "an alias": template(
        document(EVERYONE),
        {
            "A": {
                "Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": f"alias/{ESCAPES}", "TargetKeyId": {"Ref": "Key"}},
            }
        },
    ),
    "a role": template(
        document(allow({"AWS": {"Fn::GetAtt": ["R", "Arn"]}}, "kms:*")),
        {"R": {**ROLE, "Properties": {"RoleName": ESCAPES, **ROLE["Properties"]}}},
    ),
    "a construct path": template(
        document(EVERYONE), {"R": {**ROLE, "Metadata": {"aws:cdk:path": ESCAPES}}}
    ),
    "a parameter": template(document(allow({"AWS": {"Ref": ESCAPES}}, "kms:*"))),
    "a condition": template(
        document({"Fn::If": [ESCAPES, EVERYONE, EVERYONE | {"Effect": "Deny"}]})
    ),
    "a repeated key": f'{{"Resources": {{{json.dumps(ESCAPES)}: 1, {json.dumps(ESCAPES)}: 2}}}}',
}


@pytest.mark.parametrize("command", ["check", "map", "can"])
@pytest.mark.parametrize("name", SPOKEN)
def test_no_name_forges_a_line_or_moves_the_cursor(
    name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.json"
    text = SPOKEN[name]
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    asked = ["nobody-of-this-name", "kms:Decrypt", "Key"] if command == "can" else []
    main([command, *asked, str(path)])
    output = capsys.readouterr()
    assert output.out + output.err
    assert DANGEROUS.findall(output.out + output.err) == []


def test_no_name_of_a_rules_file_forges_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = json.dumps("app\x1b[31m\n::error::")
    rules = f"""\
version: 1
teams:
  {name}: {{principals: [role/app]}}
keys:
  - name: {name}
    match: {{stack: t}}
    allow: {{%s: [use]}}
"""
    key_policy = template(document(EVERYONE))
    assert check(tmp_path, key_policy, rules=rules % name) == 1
    assert check(tmp_path, key_policy, rules=rules % "nobody") == 2
    output = capsys.readouterr()
    assert "nobody" in output.err
    assert DANGEROUS.findall(output.out + output.err) == []


# Files outside of the assembly

OUTSIDE = {
    "template": {"S": {"properties": {"templateFile": "../secret.json"}}},
    "template by a link": {"S": {"properties": {"templateFile": "link.json"}}},
    "template by an absolute path": {
        "S": {"properties": {"templateFile": "/elsewhere/template.json"}}
    },
    "metadata": {
        "S": {
            "properties": {"templateFile": "S.template.json"},
            "additionalMetadataFile": "../secret.json",
        }
    },
    "stage": {"A": {"type": "cdk:cloud-assembly", "properties": {"directoryName": ".."}}},
    "assets": {"A": {"type": "cdk:asset-manifest", "properties": {"file": "../secret.json"}}},
}


def assembly(folder: Path, artifacts: Any) -> Path:
    """A cloud assembly with one stack that has a key, beside a file that is not its own."""
    out = folder / "cdk.out"
    out.mkdir()
    secret = folder / "secret.json"
    secret.write_text(json.dumps(template(document(EVERYONE))), encoding="utf-8")
    (out / "link.json").symlink_to(secret)
    (out / "S.template.json").write_text(
        json.dumps(template(document(SIBLING), {"Nested": NESTED})), encoding="utf-8"
    )
    stack = {"type": "aws:cloudformation:stack", "environment": f"aws://{ACCOUNT}/eu-west-1"}
    manifest = {"version": "40.0.0", "artifacts": {n: stack | a for n, a in artifacts.items()}}
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return out


NESTED = {
    "Type": "AWS::CloudFormation::Stack",
    "Metadata": {"aws:asset:path": "../secret.json"},
    "Properties": {"TemplateURL": "https://example.com/x.json"},
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest_that_leads_out_of_the_assembly_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = assembly(tmp_path, OUTSIDE[name])
    assert main(["check", str(out)]) == 2
    assert "leads out of the folder" in capsys.readouterr().err


def test_a_nested_stack_outside_of_the_assembly_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = assembly(tmp_path, {"S": {"properties": {"templateFile": "S.template.json"}}})
    assert main(["check", str(out)]) == 1
    output = capsys.readouterr().out
    assert "Nested (stack S) may change access to keys and is not evaluated" in output
    assert "public-access" not in output
