"""What the pack says in previews and updates, with the engine's markers for unknown values."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from pulumi_policy import EnforcementLevel

from .harness import ACCOUNT, KEY, ROLE_POLICY, UNKNOWN, Declared, Pack
from .programs import DELEGATION, RULES, allow, document, inline, key_for, role

STACK = "kms-access-stack"
API = role("payments-api")
BILLING = role("billing")
CLEAN = (API, BILLING, key_for("payments-api"))
BROKEN = (API, BILLING, key_for("payments-api", "billing"))
WriteRules = Callable[..., Path]


@pytest.fixture(autouse=True)
def rules(write_rules: WriteRules) -> None:
    write_rules()


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_DRY_RUN", "false")


def test_a_clean_preview_says_how_much_was_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert Pack().run(*CLEAN) == []
    assert "1 key, 3 principals: 0 findings, 0 undecided" in capsys.readouterr().out


def test_a_stack_without_keys_and_gaps_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert Pack().run(API, Declared("aws:s3/bucket:Bucket", "data", {"acl": UNKNOWN})) == []
    assert capsys.readouterr().out == ""


def test_a_preview_reports_the_whole_finding_at_the_key_and_only_at_the_end() -> None:
    pack = Pack()
    assert pack.register(*BROKEN) == []
    (violation,) = pack.finish(*BROKEN)
    assert (violation.policy, violation.level) == (STACK, "mandatory")
    assert violation.urn == BROKEN[2].urn
    assert "role billing can decrypt with key payments" in violation.message
    assert "access-rules.yaml:7" in violation.message


def test_the_order_of_the_stack_does_not_matter() -> None:
    assert Pack().run(*BROKEN) == Pack().run(*BROKEN[::-1])


def unknown_key(*depends: Declared) -> Declared:
    return Declared(
        *(KEY, "payments", {"policy": UNKNOWN, "isEnabled": True}),
        {"arn": UNKNOWN, "keyId": UNKNOWN, "id": UNKNOWN},
        {"policy": [resource.urn for resource in depends]},
    )


@pytest.mark.parametrize(
    ("level", "shown"),
    [(EnforcementLevel.MANDATORY, "mandatory"), (EnforcementLevel.ADVISORY, "advisory")],
)
def test_an_unknown_document_has_the_level_of_the_pack_and_says_what_helps(
    level: EnforcementLevel, shown: str
) -> None:
    violations = Pack(levels={STACK: level}).run(API, BILLING, unknown_key(API))
    assert {(v.policy, v.level) for v in violations} == {(STACK, shown)}
    text = "\n".join(violation.message for violation in violations)
    assert 'the policy of key "payments" depends on role "payments-api"' in text
    assert f'"arn:aws:iam::{ACCOUNT}:role/payments-api" instead of the arn attribute' in text
    assert "can't be known during preview" not in text


def test_unknown_references_are_settled_by_dependencies() -> None:
    loose = Declared(
        *(ROLE_POLICY, "inline", {"role": UNKNOWN, "policy": inline("x", "x").inputs["policy"]}),
        depends={"role": [BILLING.urn]},
    )
    (violation,) = Pack().run(*CLEAN, loose)
    assert "role billing can decrypt with key payments" in violation.message


def test_findings_that_the_rules_warn_about_are_advice(write_rules: WriteRules) -> None:
    write_rules(RULES + "checks: {team-access: warning}\n")
    (violation,) = Pack().run(*BROKEN)
    assert (violation.policy, violation.level) == ("kms-access-warnings", "advisory")
    assert violation.message.splitlines()[1].startswith("warning")


def test_many_findings_are_capped() -> None:
    keys = [
        Declared(KEY, f"open-{i}", {"policy": document(DELEGATION, allow("All", "*", "kms:*"))})
        for i in range(20)
    ]
    violations = [v for v in Pack().run(*keys) if v.level == "mandatory"]
    assert len(violations) == 51
    assert "… and " in violations[-1].message
    assert " more findings, of each the first line:" in violations[-1].message


@pytest.mark.usefixtures("update")
def test_an_update_stops_at_the_resource_that_completes_the_access() -> None:
    pack = Pack()
    assert pack.register(*CLEAN) == []
    (violation,) = pack.register(inline("too-much", "billing"))
    assert (violation.policy, violation.level) == ("kms-access", "mandatory")
    assert "role billing can decrypt with key payments" in violation.message
    assert "this update stops before the resource is created or changed" in violation.message


@pytest.mark.usefixtures("update")
@pytest.mark.parametrize("first", ["key", "policy"])
def test_the_last_piece_of_a_path_is_the_one_that_is_stopped(first: str) -> None:
    pieces = [CLEAN[2], inline("too-much", "billing")]
    if first == "policy":
        pieces.reverse()
    pack = Pack()
    assert pack.register(API, BILLING, pieces[0]) == []
    assert len(pack.register(pieces[1])) == 1


@pytest.mark.usefixtures("update")
def test_what_was_there_before_is_not_repeated() -> None:
    pack = Pack()
    assert len(pack.register(*BROKEN)) == 1
    assert pack.register(role("payments-worker"), inline("fine", "payments-worker")) == []


@pytest.mark.usefixtures("update")
def test_a_deny_counts_from_when_it_registers() -> None:
    allowing, denying = inline("allow", "billing"), inline("deny", "billing", "Deny")
    pack = Pack()
    assert pack.register(*CLEAN, denying, allowing) == []
    assert len(Pack().register(*CLEAN, allowing)) == 1


@pytest.mark.usefixtures("update")
def test_the_default_policy_does_not_count_before_the_end() -> None:
    key = Declared(KEY, "payments", {"isEnabled": True})
    pieces = (API, BILLING, key, inline("too-much", "billing"))
    pack = Pack()
    assert pack.register(*pieces) == []
    (violation,) = pack.finish(*pieces)
    assert "role billing can decrypt with key payments" in violation.message


@pytest.mark.usefixtures("update")
def test_what_later_resources_settle_is_left_to_the_end(write_rules: WriteRules) -> None:
    write_rules(RULES + "    require:\n      payments: [encrypt]\n")
    locked = Declared(
        KEY, "payments", {"policy": document(allow("A", f"arn:aws:iam::{ACCOUNT}:role/x", "s3:*"))}
    )
    pack = Pack()
    assert pack.register(locked, Declared("aws:kms/externalKey:ExternalKey", "e", {"a": 1})) == []
    found = "\n".join(v.message for v in pack.finish(locked))
    assert "error  lockout" in found
    assert "error  required-access" in found


@pytest.mark.usefixtures("update")
def test_a_team_by_tags_may_still_be_joined_by_who_is_only_mentioned(
    write_rules: WriteRules,
) -> None:
    write_rules(RULES.replace("{principals: [role/payments-*]}", "{tags: {team: payments}}"))
    tagged = role("worker")
    tagged = Declared(tagged.type, "worker", {**tagged.inputs, "tags": {"team": "payments"}})
    pack = Pack()
    assert pack.register(key_for("worker"), tagged) == []
    assert len(pack.register(role("stranger"), key_for("stranger", name="payments"))) == 1


@pytest.mark.usefixtures("update")
def test_an_alias_that_may_follow_keeps_a_rule_open(write_rules: WriteRules) -> None:
    more = "  - {name: shared, match: {alias: alias/shared}, allow: {others: [decrypt]}}\n"
    write_rules(RULES.replace("keys:", "  others: {principals: [role/billing]}\nkeys:") + more)
    pack = Pack()
    assert pack.register(*BROKEN) == []
    alias = Declared(
        *("aws:kms/alias:Alias", "shared", {"name": "alias/shared", "targetKeyId": UNKNOWN}),
        depends={"targetKeyId": [BROKEN[2].urn]},
    )
    assert pack.register(alias) == []
    assert pack.finish(*BROKEN, alias) == []


def test_disabling_the_collecting_policy_blocks() -> None:
    pack = Pack(levels={"kms-access": EnforcementLevel.DISABLED})
    assert pack.register(*CLEAN) == []
    (violation,) = pack.finish(*CLEAN)
    assert violation.level == "mandatory"
    assert 'while the policy "kms-access" is disabled' in violation.message


def test_a_failure_is_told_by_the_warnings_where_nobody_else_does() -> None:
    levels = dict.fromkeys(("kms-access", STACK), EnforcementLevel.DISABLED)
    (violation,) = Pack(levels=levels).run(*CLEAN)
    assert violation.policy == "kms-access-warnings"
    assert "nothing can be decided" in violation.message


def test_what_is_kept_without_being_registered_is_judged_by_its_outputs() -> None:
    # With `--target`, a resource that the program dropped stays in the stack.
    pack = Pack()
    pack.register(Declared("pulumi:pulumi:Stack", "shop-dev", {}))
    (violation,) = pack.finish(*BROKEN)
    assert "role billing can decrypt with key payments" in violation.message


def test_configuration_at_the_wrong_policy_is_refused() -> None:
    (violation,) = Pack({STACK: {"rules": "other.yaml"}}).run(*CLEAN)
    assert 'the property "rules" belongs to the policy "kms-access"' in violation.message


def test_a_state_is_judged_without_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    # `pulumi policy analyze` sets none of the variables of a run.
    for name in ("PULUMI_PROJECT", "PULUMI_STACK", "PULUMI_DRY_RUN"):
        monkeypatch.delenv(name)
    pack = Pack()
    assert pack.register(*BROKEN) == []
    assert len(pack.finish(*BROKEN)) == 1


@pytest.mark.usefixtures("update")
def test_a_broken_rules_file_stops_an_update_at_the_first_resource_that_matters(
    write_rules: WriteRules,
) -> None:
    write_rules("version: 1\nkeyz: []\n")
    pack = Pack()
    assert pack.register(Declared("aws:s3/bucket:Bucket", "data", {"acl": "private"})) == []
    (violation,) = pack.register(API)
    assert violation.level == "mandatory"
    assert 'access-rules.yaml:2:1: unknown field of the rules file "keyz"' in violation.message


@pytest.mark.usefixtures("update")
@pytest.mark.parametrize("seed", range(8))
def test_in_any_order_an_update_finds_what_the_whole_has(seed: int) -> None:
    shared = {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/shared"}
    decrypt = inline("x", "x").inputs["policy"]
    pieces = [
        *(API, BILLING, role("worker"), role("payments-worker")),
        key_for("billing"),
        Declared(KEY, "other", {"policy": document(allow("All", "*", "kms:Encrypt"))}),
        inline("too-much", "worker"),
        inline("fine", "payments-worker"),
        Declared("aws:iam/policy:Policy", "shared", {"name": "shared", "policy": decrypt}),
        Declared("aws:iam/user:User", "eve", {"name": "eve", "path": "/"}),
        Declared("aws:iam/group:Group", "staff", {"name": "staff", "path": "/"}),
        Declared(
            "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
            "staff",
            {"group": "staff", **shared},
        ),
        Declared(
            "aws:iam/groupMembership:GroupMembership", "all", {"group": "staff", "users": ["eve"]}
        ),
    ]
    random.Random(seed).shuffle(pieces)
    claims = {violation.message.splitlines()[1] for violation in Pack().register(*pieces)}
    assert claims == {
        "error  public-access  everyone can encrypt with key other",
        "error  team-access  role billing can decrypt with key payments",
        "error  team-access  role worker can decrypt with key payments",
        "error  team-access  user eve can decrypt with key payments",
    }


def test_secrets_do_not_show() -> None:
    signature = "4dabf18193072939515e22adb298388d"
    secret = {signature: "1b47061264138c4ac30d75fd1eb44270", "value": "hunter2"}
    key = Declared(KEY, "payments", {**BROKEN[2].inputs, "description": secret})
    assert "hunter2" not in str(Pack().run(API, BILLING, key))
