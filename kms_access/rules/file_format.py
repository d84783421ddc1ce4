"""The shape of access-rules.yaml as types: the loader, the JSON Schema and the docs follow it.

Descriptions stand in `Says`; the other marks narrow a type. What a type cannot say, such as that a
team exists, is for the loader alone.
"""

# No postponed annotations: from them Python 3.11 cannot tell which keys are required.
from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from kms_access.inventory.actions import CAPABILITIES, KMS_ACTIONS
from kms_access.rules.checks import CHECKS
from kms_access.rules.model import WAIVERS_AT_MOST_DAYS, Level
from kms_access.rules.patterns import (
    ACCOUNT_ID,
    ARN,
    CALLING_SERVICE,
    DATE,
    FINGERPRINT,
    INCLUDED,
    ORGANIZATION_ID,
    PRINCIPAL,
)

VERSION = "1"
MAXIMUM_DAYS = 3_650
LEVELS = tuple(level.value for level in Level)
CAPABILITY_WORDS = ("use", *CAPABILITIES)
ABOUT_FINDINGS = ("expired-waiver", "unused-waiver", "unmatched-key")
"""Checks about the rules file itself: a waiver for one of them would only hide the next."""


@dataclass(frozen=True, slots=True)
class Says:
    """The description of a type or a field."""

    text: str


@dataclass(frozen=True, slots=True)
class Matches:
    """A text must match a regular expression as a whole."""

    pattern: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """A text must be one of these."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """How many items or fields there may be, or how large a number may be; 0 is no upper bound."""

    least: int
    most: int = 0


AsWritten: TypeAlias = str | int | float | bool
"""A value that is taken as text as it is written, quoted or not."""

Words: TypeAlias = Annotated[str, Between(1)]
AccountId: TypeAlias = Annotated[
    str, Matches(ACCOUNT_ID), Says("An account id, quoted: ids are text.")
]
PrincipalText: TypeAlias = Annotated[
    str,
    Matches(PRINCIPAL),
    Says(
        "role/NAME or user/NAME in the listed accounts, with its path if it has one "
        "(role/team/NAME); an ARN; a service principal; a quoted account id; an organization id. "
        "* and ? are wildcards."
    ),
]
Tags: TypeAlias = Annotated[dict[str, AsWritten], Between(1), Says("All of these tags.")]
CapabilityText: TypeAlias = Annotated[
    str,
    OneOf((*CAPABILITY_WORDS, *(action.name for action in KMS_ACTIONS.values()))),
    Says("A capability, or a single action such as kms:Decrypt."),
]
CheckId: TypeAlias = Annotated[str, OneOf(tuple(CHECKS))]
LevelText: TypeAlias = Annotated[
    Literal["error", "warning", "off"],
    Says("An error blocks, a warning is printed, off is only counted."),
]

ConditionBlock: TypeAlias = Annotated[
    dict[str, Annotated[dict[str, AsWritten | list[AsWritten]], Between(1)]],
    Between(1),
    Says("A condition block as in an IAM policy: operator, condition key, values."),
]


class LimitEntry(TypedDict):
    via: NotRequired[
        Annotated[
            list[Annotated[str, Matches(CALLING_SERVICE)]],
            Between(1),
            Says(
                "Only for requests that come through one of these services (kms:ViaService): "
                "s3 for every Region, s3.eu-central-1.amazonaws.com for one."
            ),
        ]
    ]
    when: NotRequired[Annotated[ConditionBlock, Says("Only for requests that fulfil all of this.")]]


LimitedCapability: TypeAlias = Annotated[
    dict[CapabilityText, Annotated[LimitEntry, Between(1)]],
    Between(1, 1),
    Says("A capability or action that is allowed for some requests only."),
]


class TeamEntry(TypedDict):
    principals: NotRequired[
        Annotated[list[PrincipalText], Between(1), Says("Who belongs to the team.")]
    ]
    tags: NotRequired[
        Annotated[Tags, Says("Users and roles with all of these tags belong to the team.")]
    ]
    definitions: NotRequired[
        Annotated[
            list[Words],
            Between(1),
            Says(
                "Users and roles defined there belong to the team: STACK/CONSTRUCT-PATH, "
                "STACK/LOGICAL-ID or a URN. * and ? are wildcards."
            ),
        ]
    ]


class MatchEntry(TypedDict):
    alias: NotRequired[
        Annotated[str, Matches("alias/.*"), Says("An alias, such as alias/payments-*.")]
    ]
    arn: NotRequired[Annotated[str, Matches(ARN), Says("The ARN of the key.")]]
    id: NotRequired[Annotated[Words, Says("STACK/LOGICAL-ID or the logical id.")]]
    path: NotRequired[Annotated[Words, Says("The construct path, or STACK/PATH.")]]
    urn: NotRequired[Annotated[Words, Says("The URN of the resource in Pulumi.")]]
    stack: NotRequired[Annotated[Words, Says("The stack that holds the key.")]]
    tags: NotRequired[Annotated[Tags, Says("The key has all of these tags.")]]


KeyEntry = TypedDict(
    "KeyEntry",
    {
        "name": Annotated[Words, Says("What findings call the entry; no other has this name.")],
        "match": Annotated[
            MatchEntry,
            Between(1),
            Says("Which keys: every field that is given must match. * and ? are wildcards."),
        ],
        "allow": NotRequired[
            Annotated[
                dict[str, list[CapabilityText | LimitedCapability]],
                Says(
                    "What each team may do. Entries that match the same key add up; what none of "
                    "them allows is a finding."
                ),
            ]
        ],
        "require": NotRequired[
            Annotated[
                dict[str, list[CapabilityText]],
                Says("What each team must surely be able to do."),
            ]
        ],
        "iam-delegation": NotRequired[
            Annotated[
                Literal["allowed", "forbidden"],
                Says("Whether the key policy may let identity policies give access."),
            ]
        ],
    },
)


class WaiverEntry(TypedDict):
    check: Annotated[
        str,
        OneOf(tuple(check for check in CHECKS if check not in ABOUT_FINDINGS)),
        Says("The check whose finding is accepted."),
    ]
    key: Annotated[
        str,
        Matches(r"[^*?]+"),
        Says(
            "The key: alias, ARN, key id, STACK/LOGICAL-ID, construct path or URN, without "
            "wildcards."
        ),
    ]
    principal: NotRequired[
        Annotated[
            str,
            Matches(r"[^*?]+"),
            Says(
                "The principal as the finding names it: role/NAME, user/NAME, an ARN, a "
                "service, where it is defined, or everyone. No wildcards. Left out only for "
                "findings about a key as a whole."
            ),
        ]
    ]
    capabilities: NotRequired[
        Annotated[
            list[CapabilityText],
            Between(1),
            Says(
                "All that the finding may be about. Left out only for findings that name no access."
            ),
        ]
    ]
    finding: NotRequired[
        Annotated[
            str,
            Matches(FINGERPRINT),
            Says("The fingerprint, where a check has several findings about one key."),
        ]
    ]
    reason: Annotated[Words, Says("Why this is accepted.")]
    owner: Annotated[Words, Says("Who answers for it.")]
    expires: Annotated[
        str, Matches(DATE), Says("The last day on which the waiver holds, YYYY-MM-DD.")
    ]


RulesEntry = TypedDict(
    "RulesEntry",
    {
        "version": Annotated[Literal[1, "1"], Says("The version of the format.")],
        "include": NotRequired[
            Annotated[
                list[Annotated[str, Matches(INCLUDED)]],
                Says(
                    "Further rules files: FILE.yaml below the folder of this one, or "
                    "package:NAME/FILE.yaml from an installed Python package."
                ),
            ]
        ],
        "accounts": NotRequired[
            Annotated[dict[str, AccountId], Says("Our accounts by name: where role/NAME is meant.")]
        ],
        "organization": NotRequired[
            Annotated[str, Matches(ORGANIZATION_ID), Says("Our organization.")]
        ],
        "deployers": NotRequired[
            Annotated[
                list[PrincipalText],
                Says("Who creates keys: the lock-out check asks whether they can manage them."),
            ]
        ],
        "teams": NotRequired[
            Annotated[
                dict[str, Annotated[TeamEntry, Between(1)]],
                Says("Named sets of principals; whoever fits one of the fields belongs to it."),
            ]
        ],
        "keys": NotRequired[
            Annotated[list[KeyEntry], Says("Who may and must do what with which keys.")]
        ],
        "parameters": NotRequired[
            Annotated[
                dict[str, AsWritten],
                Says("Values of template parameters as deployed, by NAME or STACK.NAME."),
            ]
        ],
        "checks": NotRequired[
            Annotated[dict[CheckId, LevelText], Says("The level of each check.")]
        ],
        "waivers": NotRequired[
            Annotated[list[WaiverEntry], Says("Findings that are accepted for a time.")]
        ],
        "waivers-at-most-days": NotRequired[
            Annotated[
                int,
                Between(1, MAXIMUM_DAYS),
                Says(
                    f"How many days ahead a waiver may expire; {WAIVERS_AT_MOST_DAYS} if not given."
                ),
            ]
        ],
    },
)
