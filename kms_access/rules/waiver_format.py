"""The entries of `waivers` as types."""

# No postponed annotations: from them Python 3.11 cannot tell which keys are required.
from typing import Annotated, NotRequired, TypedDict

from kms_access.rules.checks import CHECKS
from kms_access.rules.file_marks import Between, Matches, OneOf, Says
from kms_access.rules.file_texts import CapabilityText, Words
from kms_access.rules.patterns import DATE, FINGERPRINT

ABOUT_FINDINGS = ("expired-waiver", "unused-waiver", "unmatched-key")
"""Checks about the rules file itself: a waiver for one of them would only hide the next."""


class WaiverEntry(TypedDict):
    check: Annotated[
        str,
        OneOf(tuple(check for check in CHECKS if check not in ABOUT_FINDINGS)),
        Says("The check whose finding is accepted.", example="check: team-access"),
    ]
    key: Annotated[
        str,
        Matches(r"[^*?]+"),
        Says(
            "The key: alias, ARN, key id, STACK/LOGICAL-ID, construct path or URN, without "
            "wildcards.",
            example="key: alias/payments-legacy",
        ),
    ]
    principal: NotRequired[
        Annotated[
            str,
            Matches(r"[^*?]+"),
            Says(
                "The principal as the finding names it: role/NAME, user/NAME, an ARN, a "
                "service, where it is defined, or everyone. No wildcards. Left out only for "
                "findings about a key as a whole.",
                "only findings about a key as a whole are accepted",
                "principal: role/migration",
            ),
        ]
    ]
    capabilities: NotRequired[
        Annotated[
            list[CapabilityText],
            Between(1),
            Says(
                "All that the finding may be about. Left out only for findings that name no "
                "access.",
                "only findings that name no access are accepted",
                "capabilities: [decrypt]",
            ),
        ]
    ]
    finding: NotRequired[
        Annotated[
            str,
            Matches(FINGERPRINT),
            Says(
                "The fingerprint, where a check has several findings about one key; the JSON "
                "report shows it.",
                "the other fields must name the finding",
                "finding: 0123456789abcdef",
            ),
        ]
    ]
    reason: Annotated[
        Words, Says("Why this is accepted.", example="reason: moves the archive to the new key")
    ]
    owner: Annotated[Words, Says("Who answers for it.", example="owner: dana@example.com")]
    expires: Annotated[
        str,
        Matches(DATE),
        Says("The last day on which the waiver holds, YYYY-MM-DD.", example="expires: 2027-03-31"),
    ]
