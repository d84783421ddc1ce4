"""What a waiver excuses: exactly the finding that it names, and nothing in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from kms_access.inventory.model import Identity, Inventory
from kms_access.policies.text import Text, Unknown
from kms_access.reports.text import render_finding
from kms_access.rules import Assessment, Level, assess, load_rules
from tests.builders import ACCOUNT, OTHER, REGION, allow, arn_id, iam, key, role, role_arn, user
from tests.rules.check_cases import READER, RULES, Case, custom
from tests.rules.check_cases_detours import BOB, OPENED
from tests.rules.check_cases_rules import MALLORY, RULES_CASES, WAIVER
from tests.rules.test_checks import EVERY, TODAY, result_of

KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{arn_id('data')}"


def waiver(**fields: str) -> str:
    written = {
        "check": "team-access",
        "key": "alias/data",
        "principal": "user/mallory",
        "capabilities": "[decrypt]",
        "reason": "r",
        "owner": "o",
        "expires": "2027-03-31",
    } | fields
    body = "\n    ".join(f"{name}: {value}" for name, value in written.items() if value)
    return f"waivers:\n  - {body}\n"


def claims(assessment: Assessment) -> list[str]:
    return [f"{finding.check}: {finding.claim}" for finding in assessment.findings]


def test_what_is_waived_is_kept_with_its_waiver(tmp_path: Path) -> None:
    assessment = result_of(RULES_CASES["a waiver excuses its finding"], tmp_path)
    (item,) = assessment.waived
    assert item.finding.claim == "user mallory can decrypt with key alias/data"
    assert item.finding.level is Level.ERROR
    assert (item.waiver.owner, item.waiver.reason) == ("dana@example.com", "moves the archive")
    assert item.waiver.line == RULES.count("\n") + 2
    assert (assessment.findings, assessment.silenced, assessment.exit_code) == ((), 0, 0)


@pytest.mark.parametrize("name", ["alias/data", KEY_ARN, arn_id("data"), "App/data", "data"])
def test_the_names_of_a_key(name: str, tmp_path: Path) -> None:
    case = Case([key("data")], [READER, MALLORY], rules=RULES + waiver(key=name))
    assert claims(result_of(case, tmp_path)) == []


@pytest.mark.parametrize("name", ["alias/dat", "alias/other", "Other/data", arn_id("other"), "d"])
def test_no_names_of_a_key(name: str, tmp_path: Path) -> None:
    case = Case([key("data")], [READER, MALLORY], rules=RULES + waiver(key=name))
    assert len(result_of(case, tmp_path).waived) == 0


PATH_ROLE = role("x", iam("kms:Decrypt"))
PRINCIPALS: dict[str, tuple[Identity, bool]] = {
    "user/mallory": (MALLORY, True),
    "user mallory": (MALLORY, True),
    f"arn:aws:iam::{ACCOUNT}:user/mallory": (MALLORY, True),
    "App/mallory": (MALLORY, True),
    "role/x": (PATH_ROLE, True),
    "role/mallory": (MALLORY, False),
    "user/mallor": (MALLORY, False),
    f"arn:aws:iam::{OTHER}:user/mallory": (MALLORY, False),
    f'"{ACCOUNT}"': (MALLORY, False),
    "everyone": (MALLORY, False),
}


@pytest.mark.parametrize("name", PRINCIPALS)
def test_the_names_of_a_principal(name: str, tmp_path: Path) -> None:
    """An account is none of its identities."""
    identity, is_meant = PRINCIPALS[name]
    case = Case([key("data")], [READER, identity], rules=RULES + waiver(principal=name))
    waived = result_of(case, tmp_path).waived
    assert [item.finding.check for item in waived] == ["team-access"] * is_meant


OTHERS = {
    "everyone": (
        Case([custom(allow("*", "kms:Decrypt"))]),
        waiver(check="public-access", principal="everyone"),
        "public-access",
    ),
    "a team": (
        Case([key("data")], []),
        waiver(check="required-access", principal="team app"),
        "required-access",
    ),
    "an account": (
        Case(
            [key("data", allow({"AWS": OTHER}, "kms:Encrypt"), allow(role_arn("app-x"), "kms:*"))],
        ),
        waiver(principal=f'"{OTHER}"', capabilities="[encrypt]"),
        "team-access",
    ),
    "a session of a role": (
        Case(
            [
                custom(
                    allow(f"arn:aws:sts::{ACCOUNT}:assumed-role/zed/one", "kms:Decrypt"),
                )
            ],
            [READER, role("zed")],
        ),
        waiver(principal="role/zed"),
        "team-access",
    ),
    "a chain of roles": (
        Case([key("data")], [OPENED, BOB]),
        waiver(check="role-chain", principal="user/bob"),
        "role-chain",
    ),
    "a finding about several actions": (
        Case([key("data")], [READER, user("eve", iam(["kms:Decrypt", "kms:DisableKey"]))]),
        waiver(
            check="separation-of-duties",
            principal="user/eve",
            capabilities="[decrypt, administer]",
        ),
        "separation-of-duties",
    ),
    "a finding about a key as a whole": (
        Case([key("data", allow(role_arn("gone"), "kms:Decrypt"))], []),
        waiver(check="lockout", principal="", capabilities="[administer]"),
        "lockout",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_findings(name: str, tmp_path: Path) -> None:
    case, text, check = OTHERS[name]
    before = result_of(case, tmp_path)
    case.rules = RULES + text
    after = result_of(case, tmp_path)
    assert {item.finding.check for item in after.waived} == {check}
    assert len(after.findings) == len(before.findings) - len(after.waived)


def test_a_part_of_the_actions_is_not_enough(tmp_path: Path) -> None:
    case, text, _ = OTHERS["a finding about several actions"]
    case.rules = RULES + text.replace("[decrypt, administer]", "[decrypt]")
    assert result_of(case, tmp_path).waived == ()


def test_one_of_several_findings_about_a_key_is_named_by_its_fingerprint(tmp_path: Path) -> None:
    reader = Text(("arn:aws:iam::111122223333:role/", Unknown('parameter "Reader"')))
    case = Case([custom(allow(reader, "kms:Decrypt"))])
    (finding,) = result_of(case, tmp_path).findings
    assert finding.check == "undecided"
    text = waiver(check="undecided", principal="", capabilities="")
    case.rules = RULES + text
    vague = result_of(case, tmp_path)
    assert vague.waived == ()
    unused = next(f for f in vague.findings if f.check == "unused-waiver")
    assert unused.details == (f'{finding.claim}: that would be finding: "{finding.fingerprint}"',)
    case.rules = RULES + text.replace("reason:", f"finding: '{finding.fingerprint}'\n    reason:")
    exact = result_of(case, tmp_path)
    assert [item.finding for item in exact.waived] == [finding]
    assert exact.exit_code == 0
    case.rules = case.rules.replace(finding.fingerprint, "0" * 16)
    assert result_of(case, tmp_path).waived == ()


def test_waivers_of_what_parameters_do_by_default(tmp_path: Path) -> None:
    usual = Inventory((key("data"),), (READER,))
    by_default = Inventory((key("data"),), (READER, MALLORY))
    inventory = Inventory((key("data"),), (READER,), with_defaults=by_default)
    path = tmp_path / "rules.yaml"
    path.write_text(RULES + WAIVER, encoding="utf-8")
    assessment = assess(inventory, load_rules(path), TODAY)
    assert [item.finding.check for item in assessment.waived] == ["team-access"]
    assert claims(assessment) == []
    assert len(claims(assess(usual, load_rules(path), TODAY))) == 1


@pytest.mark.parametrize(
    "name",
    [
        "expired-waiver: the day after its last one",
        "expired-waiver: it ends too late",
        "unused-waiver: without the capability of the finding",
        "unmatched-key: as an error",
        "via: through one more service",
        "when: another value",
    ],
)
def test_what_a_person_reads(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.chdir(tmp_path)
    found = result_of(EVERY[name], Path())
    assert "\n\n".join(map(render_finding, found.findings)) == snapshot
