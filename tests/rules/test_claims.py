"""First lines of findings: short, whole where names are ordinary, and nothing in them gets lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.text import Text, Unknown
from kms_access.reports.text import render_finding
from kms_access.rules import Finding, assess, load_rules
from kms_access.rules.checks import CHECKS
from kms_access.rules.claims import LINE, ORDINARY_NAME, claim, shortened
from tests.builders import ACCOUNT, DELEGATION, OTHER, allow, grant, iam, key, role, role_arn
from tests.rules.check_cases_detours import trusting
from tests.rules.test_checks import EVERY, TODAY, result_of


def first_line(finding: Finding) -> str:
    return render_finding(finding).partition("\n")[0]


@pytest.mark.parametrize("name", EVERY)
def test_a_first_line_is_short(name: str, tmp_path: Path) -> None:
    for finding in result_of(EVERY[name], tmp_path).findings:
        has_long_name = max(len(finding.principal), len(finding.key)) > ORDINARY_NAME
        is_long = len(first_line(finding)) > LINE
        assert not is_long or (has_long_name and "the account" not in finding.claim), finding.claim


@pytest.mark.parametrize("name", EVERY)
def test_a_finding_says_what_the_template_asks_for(name: str, tmp_path: Path) -> None:
    """Claim, rule and fix are there, in lower case where no name begins them, without full stop."""
    for finding in result_of(EVERY[name], tmp_path).findings:
        for text in (finding.claim, finding.rule, finding.fix):
            assert text
        for text in (finding.claim, finding.rule, finding.fix, *finding.details):
            assert not text.endswith((".", ":", ",")), text
            assert "  " not in text, text
        assert finding.fix[0].islower(), finding.fix
        assert finding.actions or not finding.principal or finding.check in WITHOUT_ACTIONS
        assert finding.proof.hops or finding.details or finding.check in WITHOUT_EVIDENCE


WITHOUT_ACTIONS = ("ineffective-statement",)
WITHOUT_EVIDENCE = ("unmatched-key", "unused-waiver")
"""They are about what is not there."""


@pytest.mark.parametrize("name", EVERY)
def test_a_rule_of_the_file_has_its_place(name: str, tmp_path: Path) -> None:
    """The place is that which the text begins with; what is built in has none."""
    for finding in result_of(EVERY[name], tmp_path).findings:
        place = finding.rule_place
        if finding.check == "unmatched-key":
            assert (place, finding.rule) == (None, f"{tmp_path}/rules.yaml every key has a rule")
        elif place is None:
            assert finding.rule.startswith("built-in: ")
        else:
            assert finding.rule.startswith(f"{place} ")
            written = Path(place.file).read_text(encoding="utf-8").splitlines()[place.line - 1]
            assert written[place.column - 1 :].strip()


# A role and an alias of thirty characters, as in a real deployment.
USER, ADMIN = "payments-ledger-reconciliation", "payments-ledger-administrators"
ALIAS = "alias/payments-ledger-archives"
RULES = """\
version: 1
accounts: {{main: "111122223333"}}
teams:
  app: {{principals: [role/app-*]}}
  limited: {{principals: [role/{admin}]}}
keys:
  - name: ledger
    match: {{alias: {alias}}}
    allow:
      app: [use]
      limited: [{{decrypt: {{when: {{StringEquals: {{"kms:EncryptionContext:app": ledger}}}}}}}}]
    require:
      app: [encrypt]
    iam-delegation: forbidden
checks: {{unmatched-key: error}}
waivers:
  - check: separation-of-duties
    key: {alias}
    principal: role/{user}
    capabilities: [decrypt]
    reason: moves the archive
    owner: dana@example.com
    expires: 2027-01-31
  - check: separation-of-duties
    key: {alias}
    principal: role/{admin}
    capabilities: [decrypt]
    reason: moves the archive
    owner: dana@example.com
    expires: 2026-01-31
"""
POWERS = ["kms:PutKeyPolicy", "kms:CreateGrant", "kms:ScheduleKeyDeletion"]
LOGS = {"Service": "logs.eu-central-1.amazonaws.com"}


def findings_about(alias: str, user: str, admin: str, folder: Path) -> list[Finding]:
    """What is wrong with keys and roles of these names, by nearly every check."""
    path = folder / "rules.yaml"
    path.write_text(RULES.format(alias=alias, user=user, admin=admin), encoding="utf-8")
    ledger = key(
        "ledger",
        DELEGATION | {"Action": "kms:Encrypt"},
        allow(role_arn(admin), ["kms:Decrypt", *POWERS]),
        allow(LOGS, "kms:Decrypt"),
        allow("*", "kms:Verify*"),
        allow({"AWS": OTHER}, ["kms:Decrypt", "kms:CreateGrant"]),
        allow(role_arn("app-x"), "kms:Decript"),
        aliases=(alias,),
    )
    managed = key("managed", allow(role_arn(admin), POWERS), aliases=(f"{alias}2",))
    lost = key(
        "lost",
        allow("*", "kms:Decrypt"),
        allow({"AWS": UNKNOWN}, "kms:Encrypt"),
        aliases=(f"{alias}3",),
    )
    inventory = Inventory(
        (ledger, managed, lost),
        (
            role(user, iam(["sts:AssumeRole", "iam:PutRolePolicy"])),
            role(f"{user}2", iam("kms:Decrypt", ledger.arn)),
            trusting(role(admin), role_arn(user)),
            trusting(role("for-others", iam("kms:Decrypt", lost.arn)), role_arn(user, OTHER)),
        ),
        (grant(ledger, **GRANT), grant(ledger, **GRANT)),
        (NotCovered(Origin("App/Macro", user, "App"), "a macro", True),),
    )
    return list(assess(inventory, load_rules(path), TODAY).findings)


GRANT = {"GranteePrincipal": role_arn("app-x"), "Operations": ["Decrypt", "Sign"]}
UNKNOWN = Text(
    (
        f"arn:aws:iam::{ACCOUNT}:role/",
        Unknown('parameter "ReaderOfTheLedgerOfPaymentsThatIsArchived"'),
    )
)


def test_a_claim_with_names_of_thirty_characters_fits_a_line_and_leaves_them_whole(
    tmp_path: Path,
) -> None:
    findings = findings_about(ALIAS, USER, ADMIN, tmp_path)
    assert {len(USER), len(ADMIN), len(ALIAS)} == {30}
    assert {finding.check for finding in findings} == {*CHECKS} - {"new-access"}
    for finding in findings:
        assert len(finding.claim) <= LINE, finding.claim
        # A role of another account has its account beside it.
        assert "…" not in finding.claim or finding.check == "external-account", finding.claim


def test_longer_names_are_shortened_in_the_claim_alone(tmp_path: Path) -> None:
    user, admin = (f"{name}-{'of-the-ledger-of-payments-' * 3}{name}"[:64] for name in "ua")
    alias = f"alias/{'ledger/of/payments/' * 8}end"
    findings = findings_about(alias, user, admin, tmp_path)
    assert {finding.check for finding in findings} == {*CHECKS} - {"new-access"}
    for finding in findings:
        assert len(finding.claim) <= LINE, finding.claim
        # Values that must not be shown are looked for in quotes, so that no part of one may stand.
        quoted = finding.claim.split('"')[1::2]
        assert not any("…" in part for part in quoted), finding.claim
        text = render_finding(finding).partition("\n")[2]
        shown = [part for part in finding.claim.split() if "…" in part]
        for part in shown:
            start, _, end = part.rstrip(":").partition("…")
            assert re.search(rf"{re.escape(start)}\S*{re.escape(end)}", text), finding
    assert any("…" in finding.claim for finding in findings)


WAYS = ("{who} can do this and that to {key}", "{who} can do that to {key}")
SAID = {
    "the fullest": ("bob", "alias/data", "bob can do this and that to alias/data"),
    "what has room": ("b" * 30, "k" * 30, f"{'b' * 30} can do that to {'k' * 30}"),
    "names that are ordinary": ("b" * 40, "k" * 40, f"{'b' * 40} can do that to {'k' * 40}"),
    "names that a line has no room for": (
        "b" * 50,
        "k" * 50,
        f"{'b' * 19}…{'b' * 20} can do that to {'k' * 19}…{'k' * 20}",
    ),
    "one that is not": (
        "b" * 30,
        "k" * 60 + "end",
        f"{'b' * 30} can do that to {'k' * 19}…{'k' * 17}end",
    ),
    "braces": ("{key}", "{0}", "{key} can do this and that to {0}"),
}


@pytest.mark.parametrize("name", SAID)
def test_claim(name: str) -> None:
    who, key, said = SAID[name]
    assert claim("key-deletion", *WAYS, who=who, key=key) == said


def test_a_name_is_shortened_no_more_than_needed() -> None:
    for length in range(41, 77):
        said = claim("lockout", "{who} can", who="w" * length)
        assert said == f"{'w' * length} can"
    said = claim("lockout", "{who} can", who="w" * 200)
    assert len(f"warning  lockout  {said}") == LINE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("role short", "role short"),
        ("role payments-ledger-api-reader", "role paym…api-reader"),
        ("whatever is open in a policy that is long", "whatever…is long"),
    ],
)
def test_shortened(text: str, shown: str) -> None:
    assert shortened(text, 20) == shown
