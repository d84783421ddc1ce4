"""Assessments for the tests of the reports: the examples, one with everything, a hostile one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from kms_access.decisions.proof import Hop, Proof
from kms_access.inventory.model import Inventory
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.text import Text, Unknown
from kms_access.rules import Assessment, Level, assess, load_rules
from kms_access.rules.model import Waiver
from kms_access.rules.waivers import Waived
from kms_access.rules.yaml_nodes import Place
from kms_access.sources import load
from kms_access.sources.pulumi.program import load_program
from tests.builders import DELEGATION, allow, iam, key, role, user, user_arn

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = Path("examples")


def pulumi(example: str, stack: str) -> Assessment:
    """An example's Pulumi program, run under mocks; the working folder is `ROOT`."""
    rules = load_rules(EXAMPLES / example / "access-rules.yaml")
    folder = EXAMPLES / example
    return assess(load_program(folder, stack=stack, account=rules.only_account), rules)


def cdk(example: str, app: str, folder: Path) -> Assessment:
    """An example's CDK app, synthesized; the working folder is `ROOT`."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTEST_VERSION"},
        "CDK_OUTDIR": str(folder),
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run(
        [sys.executable, app],
        cwd=ROOT / EXAMPLES / example / "cdk",
        env=environment,
        check=False,
        capture_output=True,
    )
    rules = load_rules(EXAMPLES / example / "access-rules.yaml")
    return assess(load([folder], account=rules.only_account), rules)


FORMS: Mapping[str, Callable[[Path], Assessment]] = {
    "three keys, clean": lambda _: pulumi("three_keys_four_users", "clean"),
    "three keys, broken": lambda _: pulumi("three_keys_four_users", "broken"),
    "payments platform, broken": lambda _: pulumi("payments_platform", "broken"),
    "three keys, broken, CDK": lambda out: cdk("three_keys_four_users", "broken_app.py", out),
}

RULES = """\
version: 1
accounts: {main: "111122223333"}
teams:
  app: {principals: [role/app-*]}
keys:
  - name: data
    match: {alias: alias/data}
    allow:
      app: [use, view]
    require:
      app: [decrypt]
checks: {key-deletion: "off"}
"""
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
READER = Text(("arn:aws:iam::111122223333:role/", Unknown('parameter "Reader"')))
WAIVER = Waiver(
    "team-access",
    "alias/data",
    "user/eve",
    ("encrypt",),
    "moves the archive to the new key",
    "dana@example.com",
    date(2027, 3, 31),
    Place("rules.yaml", 20, 5),
)


def everything(folder: Path) -> Assessment:
    """Violated under a condition and undecided, warned, waived, known, off, not covered.

    `folder` becomes the working folder's `rules.yaml`; one key has no rule, two share an alias.
    """
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    data = key(
        "data",
        DELEGATION,
        allow(user_arn("eve"), "kms:Decrypt", Condition=MFA),
        allow(user_arn("eve"), "kms:Encrypt"),
        allow(user_arn("old"), ["kms:Encrypt", "kms:ScheduleKeyDeletion"]),
        allow(READER, "kms:Decrypt"),
    )
    inventory = Inventory(
        (data, key("other"), key("third", aliases=("alias/other",))),
        (role("app-reader", iam("kms:Decrypt")), user("mallory", iam("kms:Decrypt"))),
        not_covered=(NotCovered(Origin("App/Dns", "Dns", "App"), "not read"),),
    )
    found = assess(inventory, load_rules(Path("rules.yaml")))
    waived = [f for f in found.findings if f.principal == "user eve" and f.capability == "encrypt"]
    known = [f for f in found.findings if f.principal == "user old"]
    assert waived
    assert known
    left = tuple(f for f in found.findings if f not in (*waived, *known))
    accepted = tuple(Waived(finding, WAIVER) for finding in waived)
    return replace(found, findings=left, waived=accepted, known=tuple(known))


HOSTILE = (
    "\x1b[2J\x00\x07\r\n::error::forged\n##[error]forged\u2028\u202e%0A%25 | `` ` ``` ````\n````\n"
    "</code></pre></summary></details><script>alert(1)</script> ]]> &amp; *b* _i_ ~s~ <!-- "
    "[x](https://example.com) [y](1) {0} ${aws:username} @everyone #1 www.example.com \ud800 \ufffe"
)


def hostile(assessment: Assessment) -> Assessment:
    """The assessment with text of an attacker wherever a template or a rules file puts text."""
    origin = Origin(f"App/{HOSTILE}", HOSTILE, HOSTILE, f"{HOSTILE}.json", 3)

    waiver = replace(WAIVER, reason=HOSTILE, owner=HOSTILE, place=Place(f"{HOSTILE}.yaml", 1, 1))
    findings = tuple(
        replace(
            finding,
            claim=f"user {HOSTILE} can decrypt with key {HOSTILE}",
            key=HOSTILE,
            key_origin=replace(origin, identity=f"App/{number}{HOSTILE}"),
            principal=f"user {HOSTILE}",
            principal_origin=origin,
            principal_identity=HOSTILE,
            when=f"if aws:username is {HOSTILE}",
            proof=Proof((Hop(f"key policy, statement {HOSTILE}, allows {HOSTILE}", origin),) * 2),
            details=(HOSTILE, HOSTILE),
            rule=f"{HOSTILE}.yaml:1 '{HOSTILE}' lets only {HOSTILE} do this",
            fix=f"remove {HOSTILE}",
        )
        for number, finding in enumerate(assessment.findings)
    )
    return replace(
        assessment,
        rules=replace(assessment.rules, file=f"{HOSTILE}.yaml", waivers=(waiver,)),
        findings=findings,
        waived=(Waived(findings[0], waiver),),
        known=findings[:1],
        keys_without_rule=(HOSTILE,),
        not_covered=(NotCovered(origin, HOSTILE),),
    )


def many(assessment: Assessment, count: int) -> Assessment:
    """The assessment with `count` findings of each level."""
    first = assessment.findings[0]
    findings = [
        replace(first, level=level, fact=str(number), claim=f"user u{number} can decrypt")
        for level in (Level.ERROR, Level.WARNING)
        for number in range(count)
    ]
    return replace(assessment, findings=tuple(findings))
