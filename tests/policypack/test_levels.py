"""Levels of single checks: in the rules file, in the configuration, and of the policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pulumi_policy import EnforcementLevel
from pulumi_policy import policy as sdk

from kms_access.rules import Level
from kms_access.rules.checks import CHECKS
from policypack import _evaluation
from policypack.messages import Refusal
from policypack.policies import policies
from policypack.settings import SCHEMA, SCHEMA_OF_OTHERS, read_settings

from .harness import Declared, Pack, Violation
from .programs import RULES, inline, key_for, role

STACK, WARNINGS = "kms-access-stack", "kms-access-warnings"
BROKEN = (role("payments-api"), role("billing"), key_for("payments-api", "billing"))
CLEAN = (BROKEN[0], BROKEN[1], key_for("payments-api"))
CLAIM = "role billing can decrypt with key payments"
WriteRules = Callable[..., Path]


@pytest.fixture(autouse=True)
def rules(write_rules: WriteRules) -> None:
    write_rules()


def run(
    checks: Mapping[str, object] | None = None, *resources: Declared, **config: object
) -> list[Violation]:
    given = {**config, **({} if checks is None else {"checks": checks})}
    return Pack({"kms-access": given}).run(*(resources or BROKEN))


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


LEVELS = [
    # rules file, configuration, what the finding does
    ("", {}, (STACK, "mandatory")),
    ("warning", {}, (WARNINGS, "advisory")),
    ("off", {}, None),
    ("", {"team-access": "warning"}, (WARNINGS, "advisory")),
    ("error", {"team-access": "warning"}, (WARNINGS, "advisory")),
    ("warning", {"team-access": "error"}, (STACK, "mandatory")),
    ("off", {"team-access": "error"}, (STACK, "mandatory")),
    ("error", {"team-access": "off"}, None),
    ("warning", {"lockout": "off"}, (WARNINGS, "advisory")),
]


@pytest.mark.parametrize(("of_file", "checks", "shown"), LEVELS)
def test_the_configuration_wins_over_the_rules_file(
    write_rules: WriteRules,
    of_file: str,
    checks: Mapping[str, object],
    shown: tuple[str, str] | None,
) -> None:
    write_rules(RULES + (f"checks: {{team-access: {of_file}}}\n" if of_file else ""))
    told = [(v.policy, v.level) for v in run(checks) if CLAIM in v.message]
    assert told == ([shown] if shown else [])


def test_the_text_says_which_levels_the_configuration_has_changed(
    write_rules: WriteRules, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rules(RULES + "checks: {team-access: warning, undecided: error}\n")
    run({"team-access": "error", "undecided": "error", "lockout": "warning"})
    assert (
        "the policy configuration wins over the rules file: "
        "lockout is warning, not error, team-access is error, not warning"
    ) in printed(capsys)
    run({})
    assert "wins over" not in printed(capsys)


def test_what_is_off_is_counted_and_named(
    write_rules: WriteRules, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rules(RULES + "checks: {key-deletion: off}\n")
    assert run({"team-access": "off"}) == []
    told = printed(capsys)
    assert "1 finding is off, because a check is off" in told
    assert "off: key-deletion by the rules file, team-access by the policy configuration" in told
    assert "off by the rules file" not in told


def test_findings_that_are_off_are_counted_without_any_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = Declared("aws:iam/rolePolicy:RolePolicy", "bad", {"role": "billing", "policy": "no JSON"})
    assert run({"invalid-policy": "off", "undecided": "off"}, BROKEN[1], bad) == []
    assert "because a check is off" in printed(capsys)


@pytest.mark.usefixtures("rules")
def test_a_level_of_the_configuration_counts_in_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_DRY_RUN", "false")
    pieces = (*CLEAN, inline("too-much", "billing"))
    assert len(Pack().register(*pieces)) == 1
    pack = Pack({"kms-access": {"checks": {"team-access": "warning"}}})
    assert pack.register(*pieces) == []
    assert [v.level for v in pack.finish(*pieces)] == ["advisory"]


REFUSED = [
    ({"rulez": "x"}, 'unknown property of the policy "kms-access" "rulez", accepted are rules'),
    ({"rulez": "x"}, 'did you mean "rules"?'),
    ({"checks": {"team-acces": "off"}}, 'unknown check in "checks" "team-acces", accepted are '),
    ({"checks": {"team-acces": "off"}}, 'did you mean "team-access"?'),
    ({"checks": {"nonsense": "off"}}, f"accepted are {', '.join(CHECKS)}"),
    (
        {"checks": {"lockout": "mandatory"}},
        'unknown level of the check "lockout" "mandatory", accepted are error, warning, off',
    ),
    ({"checks": {"lockout": False}}, 'unknown level of the check "lockout" "False"'),
    ({"checks": ["lockout"]}, "a mapping of checks to levels is expected"),
    ({"rules": True}, '"rules" is "True", a path is expected'),
]


@pytest.mark.parametrize(("config", "text"), REFUSED)
def test_what_is_not_known_is_refused_with_what_is(config: dict[str, object], text: str) -> None:
    (violation,) = Pack({"kms-access": config}).run(*CLEAN)
    assert (violation.policy, violation.level) == (STACK, "mandatory")
    assert text in violation.message
    with pytest.raises(Refusal):
        read_settings(config)


def test_a_wrong_configuration_stops_an_update_at_the_first_resource_that_matters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PULUMI_DRY_RUN", "false")
    pack = Pack({"kms-access": {"checks": {"nonsense": "off"}}})
    assert pack.register(Declared("aws:s3/bucket:Bucket", "data", {"acl": "private"})) == []
    (violation,) = pack.register(CLEAN[0])
    assert violation.level == "mandatory"
    assert 'unknown check in "checks" "nonsense"' in violation.message


def schema(properties: Mapping[str, Any]) -> Draft7Validator:
    """The schema as the engine puts it together."""
    whole = {"type": "object", "properties": properties}
    Draft7Validator.check_schema(whole)
    return Draft7Validator(whole)


def test_the_declared_schema_knows_every_check_and_level() -> None:
    checks = SCHEMA.properties["checks"]["properties"]
    assert list(checks) == list(CHECKS)
    for level in Level:
        assert schema(SCHEMA.properties).is_valid({"checks": dict.fromkeys(checks, level.value)})
    assert not schema(SCHEMA.properties).is_valid({"checks": {"lockout": "mandatory"}})
    assert not schema(SCHEMA.properties).is_valid({"rules": 7})


def test_the_schema_of_the_other_policies_says_where_configuration_belongs() -> None:
    for config in ({"rules": "x"}, {"checks": {}}):
        (error,) = schema(SCHEMA_OF_OTHERS.properties).iter_errors(config)
        assert "set it at the policy kms-access" in error.message
    assert schema(SCHEMA_OF_OTHERS.properties).is_valid({})


@pytest.mark.parametrize("policy", [STACK, WARNINGS])
def test_configuration_at_another_policy_is_refused(policy: str) -> None:
    levels = {STACK: EnforcementLevel.DISABLED} if policy == WARNINGS else {}
    for name in ("rules", "checks", "nonsense"):
        (violation,) = Pack({policy: {name: "x"}}, levels).run(*CLEAN)
        assert violation.policy == policy
        assert f'"{name}"' in violation.message


def test_errors_that_a_disabled_policy_keeps_back_are_counted(
    write_rules: WriteRules, capsys: pytest.CaptureFixture[str]
) -> None:
    (violation,) = Pack(levels={STACK: EnforcementLevel.DISABLED}).run(*BROKEN)
    assert (violation.policy, violation.level) == (WARNINGS, "advisory")
    assert '1 error is not shown and blocks nothing, because the policy "kms-access-stack"' in (
        violation.message
    )
    assert "1 key, 3 principals: 1 finding" in printed(capsys)


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each resource that the SDK decodes."""
    seen: list[object] = []
    original = sdk.deserialize_properties

    def counted(*args: Any) -> Any:
        seen.append(args)
        return original(*args)

    monkeypatch.setattr(sdk, "deserialize_properties", counted)
    return seen


@pytest.mark.parametrize(
    ("checks", "resources", "rounds"),
    [
        ({}, CLEAN, 1),
        ({}, BROKEN, 1),
        ({"team-access": "off"}, BROKEN, 1),
        ({"nonsense": "off"}, BROKEN, 1),
        ({"team-access": "warning"}, BROKEN, 2),
    ],
)
def test_a_stack_is_decoded_again_only_for_warnings(
    decodings: list[object],
    checks: Mapping[str, object],
    resources: tuple[Declared, ...],
    rounds: int,
) -> None:
    pack = Pack({"kms-access": {"checks": checks}})
    pack.register(*resources)
    decodings.clear()
    pack.finish(*resources)
    assert len(decodings) == rounds * 2 * len(resources)  # the resource and its provider


@pytest.mark.parametrize("level", ["error", "warning", "off"])
def test_a_pack_that_copies_the_list_says_the_same(
    monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    ours = run({"team-access": level})
    monkeypatch.setattr("tests.policypack.harness.policies", lambda: [*policies()])
    assert run({"team-access": level}) == ours
    assert len(ours) == (0 if level == "off" else 1)


def test_the_list_of_policies_is_whole_outside_of_a_round() -> None:
    every = policies()
    assert [policy.name for policy in every] == ["kms-access", STACK, WARNINGS]
    assert len(every) == len([*every]) == 3


def test_a_failure_while_a_warning_is_written_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(finding: object) -> str:
        raise KeyError("injected")

    monkeypatch.setattr(_evaluation, "describe", describe)
    (violation,) = run({"team-access": "warning"})
    assert (violation.policy, violation.level) == (STACK, "mandatory")
    assert "kms-access itself failed, so nothing was decided" in violation.message
    assert "KeyError: 'injected'" in violation.message
