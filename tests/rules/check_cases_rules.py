"""Cases of the checks about the rules file itself: waivers and keys without a rule."""

from __future__ import annotations

from tests.builders import iam, key, user
from tests.rules.check_cases import READER, RULES, Case

MALLORY = user("mallory", iam("kms:Decrypt"))
FOUND = "team-access: user mallory can decrypt with key alias/data"
WAIVER = """\
waivers:
  - check: team-access
    key: alias/data
    principal: user/mallory
    capabilities: [decrypt]
    reason: moves the archive
    owner: dana@example.com
    expires: 2027-03-31
"""
NAMED = "waiver of team-access for user/mallory on alias/data"
_NO_RULE = "unmatched-key: no rule is for key alias/other"


def waived(old: str = "", new: str = "") -> str:
    assert old in WAIVER
    return RULES + WAIVER.replace(old, new)


RULES_CASES = {
    "a waiver excuses its finding": Case([key("data")], [READER, MALLORY], rules=waived()),
    "a waiver excuses nothing else": Case(
        [key("data")],
        [READER, MALLORY, user("eve", iam("kms:Decrypt"))],
        findings=["team-access: user eve can decrypt with key alias/data"],
        code=1,
        rules=waived(),
    ),
    "a waiver covers no wider access": Case(
        [key("data")],
        [READER, user("mallory", iam(["kms:Decrypt", "kms:Encrypt"]))],
        findings=["team-access: user mallory can encrypt with key alias/data"],
        code=1,
        rules=waived(),
    ),
    "a waiver for one action does not cover its capability": Case(
        [key("data")],
        [READER, user("mallory", iam(["kms:Decrypt", "kms:ReEncryptFrom"]))],
        findings=[FOUND, f"unused-waiver: {NAMED} matches no finding"],
        code=1,
        rules=waived("[decrypt]", "[kms:Decrypt]"),
    ),
    "expired-waiver: the day after its last one": Case(
        [key("data")],
        [READER, MALLORY],
        findings=[FOUND, f"expired-waiver: {NAMED} ended on 2026-10-31"],
        code=1,
        rules=waived("2027-03-31", "2026-10-31"),
    ),
    "a waiver holds on its last day": Case(
        [key("data")], [READER, MALLORY], rules=waived("2027-03-31", "2026-11-01")
    ),
    "expired-waiver: it is one even where it excused nothing": Case(
        [key("data")],
        findings=[f"expired-waiver: {NAMED} ended on 2026-10-31"],
        code=1,
        rules=waived("2027-03-31", "2026-10-31"),
    ),
    "expired-waiver: it ends too late": Case(
        [key("data")],
        [READER, MALLORY],
        findings=[
            FOUND,
            f"expired-waiver: {NAMED} lasts too long | it expires on 2027-11-02, more than 365",
        ],
        code=1,
        rules=waived("2027-03-31", "2027-11-02"),
    ),
    "a waiver may last as long as the rules say": Case(
        [key("data")],
        [READER, MALLORY],
        rules=waived("2027-03-31", "2027-11-02") + "waivers-at-most-days: 366\n",
    ),
    "expired-waiver: a period of the rules is counted from today": Case(
        [key("data")],
        [READER, MALLORY],
        findings=[
            FOUND,
            f"expired-waiver: {NAMED} lasts too long | it expires on 2027-03-31, more than 90 days",
        ],
        code=1,
        rules=waived() + "waivers-at-most-days: 90\n",
    ),
    "unused-waiver: nobody has the access": Case(
        [key("data")], findings=[f"unused-waiver: {NAMED} matches no finding"], rules=waived()
    ),
    "unused-waiver: of another check": Case(
        [key("data")],
        [READER, MALLORY],
        findings=[
            FOUND,
            "unused-waiver: waiver of role-chain for user/mallory on alias/data matches no finding",
        ],
        code=1,
        rules=waived("team-access", "role-chain"),
    ),
    "unused-waiver: of another key": Case(
        [key("data"), key("other")],
        [READER, MALLORY],
        findings=[
            FOUND,
            "unused-waiver: waiver of team-access for user/mallory on alias/other matches no "
            "finding",
        ],
        code=1,
        rules=waived("alias/data", "alias/other"),
    ),
    "unused-waiver: without the principal of the finding": Case(
        [key("data")],
        [READER, MALLORY],
        findings=[
            FOUND,
            "unused-waiver: waiver of team-access on alias/data matches no finding",
        ],
        code=1,
        rules=waived("    principal: user/mallory\n"),
    ),
    "unused-waiver: without the capability of the finding": Case(
        [key("data")],
        [READER, MALLORY],
        findings=[FOUND, f"unused-waiver: {NAMED} matches no finding"],
        code=1,
        rules=waived("    capabilities: [decrypt]\n"),
    ),
    "a waiver of a check that is off is used": Case(
        [key("data")],
        [READER, MALLORY],
        rules=waived() + 'checks: {team-access: "off"}\n',
    ),
    "unmatched-key: where the rules ask for it": Case(
        [key("data"), key("other")],
        findings=[_NO_RULE],
        rules=RULES + "checks: {unmatched-key: warning}\n",
    ),
    "unmatched-key: as an error": Case(
        [key("data"), key("other")],
        findings=[_NO_RULE],
        code=1,
        rules=RULES + "checks: {unmatched-key: error}\n",
    ),
    "a key without a rule is no finding by itself": Case([key("data"), key("other")]),
}
