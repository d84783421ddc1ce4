"""The shape of access-rules.yaml as types: the loader, the JSON Schema and the docs follow it.

Descriptions stand in `Says`; the other marks narrow a type. What a type cannot say, such as that a
team exists, is for the loader alone.
"""

# No postponed annotations: from them Python 3.11 cannot tell which keys are required.
from typing import Annotated, Literal, NotRequired, TypedDict

from kms_access.rules.file_marks import Between, Matches, OneOf, Says
from kms_access.rules.file_texts import (
    CAPABILITY_WORDS,
    AccountId,
    AsWritten,
    CheckId,
    LevelText,
    PrincipalText,
    Tags,
    Words,
)
from kms_access.rules.key_format import KeyEntry, LimitEntry, MatchEntry
from kms_access.rules.model import WAIVERS_AT_MOST_DAYS, Level
from kms_access.rules.patterns import INCLUDED, ORGANIZATION_ID
from kms_access.rules.waiver_format import ABOUT_FINDINGS, WaiverEntry

__all__ = [
    "ABOUT_FINDINGS",
    "CAPABILITY_WORDS",
    "LEVELS",
    "MAXIMUM_DAYS",
    "VERSION",
    "Between",
    "KeyEntry",
    "LimitEntry",
    "MatchEntry",
    "Matches",
    "OneOf",
    "RulesEntry",
    "Says",
    "TeamEntry",
    "WaiverEntry",
]

VERSION = "1"
MAXIMUM_DAYS = 3_650
LEVELS = tuple(level.value for level in Level)


class TeamEntry(TypedDict):
    principals: NotRequired[
        Annotated[
            list[PrincipalText],
            Between(1),
            Says(
                "Who belongs to the team. In role/NAME an asterisk spans slashes, so that "
                "role/payments-* means a role x of path /payments-y/ as well.",
                "nobody belongs to it by name",
                "principals: [role/payments-*, user/alice]",
            ),
        ]
    ]
    tags: NotRequired[
        Annotated[
            Tags,
            Says(
                "Users and roles with all of these tags belong to the team.",
                "nobody belongs to it by tag",
                "tags: {team: security}",
            ),
        ]
    ]
    definitions: NotRequired[
        Annotated[
            list[Words],
            Between(1),
            Says(
                "Users and roles defined there belong to the team: STACK/CONSTRUCT-PATH, "
                "STACK/LOGICAL-ID or a URN. * and ? are wildcards.",
                "nobody belongs to it by place",
                "definitions: [Batch/*]",
            ),
        ]
    ]


RulesEntry = TypedDict(
    "RulesEntry",
    {
        "version": Annotated[
            Literal[1, "1"], Says("The version of the format.", example="version: 1")
        ],
        "include": NotRequired[
            Annotated[
                list[Annotated[str, Matches(INCLUDED)]],
                Says(
                    "Further rules files: FILE.yaml below the folder of this one, or "
                    "package:NAME/FILE.yaml from an installed Python package.",
                    "the file stands alone",
                    "include: [shared/keys.yaml, package:acme_rules/teams.yaml]",
                ),
            ]
        ],
        "accounts": NotRequired[
            Annotated[
                dict[str, AccountId],
                Says(
                    "Our accounts by name: where role/NAME is meant.",
                    "role/NAME is meant in every account, and no account counts as ours but those "
                    "of the keys",
                    'accounts: {prod: "111122223333", audit: "444455556666"}',
                ),
            ]
        ],
        "organization": NotRequired[
            Annotated[
                str,
                Matches(ORGANIZATION_ID),
                Says(
                    "Our organization; the listed accounts are in it.",
                    "conditions about the organization stay open",
                    "organization: o-a1b2c3d4e5",
                ),
            ]
        ],
        "deployers": NotRequired[
            Annotated[
                list[PrincipalText],
                Says(
                    "Who creates keys: the lock-out check asks whether they can manage them.",
                    "those that a CDK assembly names, else the root user of the account",
                    "deployers: [role/cdk-hnb659fds-cfn-exec-role-*]",
                ),
            ]
        ],
        "teams": NotRequired[
            Annotated[
                dict[str, Annotated[TeamEntry, Between(1)]],
                Says(
                    "Named sets of principals; whoever fits one of the fields belongs to it.",
                    "there are no teams",
                    "teams:\n  payments: {principals: [role/payments-*]}",
                ),
            ]
        ],
        "keys": NotRequired[
            Annotated[
                list[KeyEntry],
                Says(
                    "Who may and must do what with which keys.",
                    "no key has a rule, and the built-in checks run",
                    "keys:\n"
                    "  - name: payments data\n"
                    "    match: {alias: alias/payments-*}\n"
                    "    allow: {payments: [use, view]}",
                ),
            ]
        ],
        "parameters": NotRequired[
            Annotated[
                dict[str, AsWritten],
                Says(
                    "Values of template parameters as deployed, by NAME or STACK.NAME.",
                    "a parameter has any value that it may have; its default can show access, "
                    "never exclude it",
                    "parameters: {OrgId: o-a1b2c3d4e5, Ledger.Stage: prod}",
                ),
            ]
        ],
        "checks": NotRequired[
            Annotated[
                dict[CheckId, LevelText],
                Says(
                    "The level of each check.",
                    "the level that the check has by itself",
                    "checks: {separation-of-duties: error, key-deletion: off}",
                ),
            ]
        ],
        "waivers": NotRequired[
            Annotated[
                list[WaiverEntry],
                Says(
                    "Findings that are accepted for a time.",
                    "nothing is accepted",
                    "waivers:\n"
                    "  - check: team-access\n"
                    "    key: alias/payments-legacy\n"
                    "    principal: role/migration\n"
                    "    capabilities: [decrypt]\n"
                    "    reason: moves the archive to the new key\n"
                    "    owner: dana@example.com\n"
                    "    expires: 2027-03-31",
                ),
            ]
        ],
        "waivers-at-most-days": NotRequired[
            Annotated[
                int,
                Between(1, MAXIMUM_DAYS),
                Says(
                    f"How many days ahead a waiver may expire; {WAIVERS_AT_MOST_DAYS} if not "
                    "given.",
                    str(WAIVERS_AT_MOST_DAYS),
                    "waivers-at-most-days: 90",
                ),
            ]
        ],
    },
)
