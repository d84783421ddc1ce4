"""The entries of `keys` as types."""

# No postponed annotations: from them Python 3.11 cannot tell which keys are required.
from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from kms_access.rules.file_marks import Between, Matches, Says
from kms_access.rules.file_texts import AsWritten, CapabilityText, Tags, Words
from kms_access.rules.patterns import ARN, CALLING_SERVICE

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
                "s3 for every Region, s3.eu-central-1.amazonaws.com for one.",
                "requests may come directly or through any service",
                "via: [s3, rds.eu-central-1.amazonaws.com]",
            ),
        ]
    ]
    when: NotRequired[
        Annotated[
            ConditionBlock,
            Says(
                "Only for requests that fulfil all of this: a condition block as in an IAM policy.",
                "no further condition has to hold",
                "when: {StringEquals: {kms:EncryptionContext:app: ledger}}",
            ),
        ]
    ]


LimitedCapability: TypeAlias = Annotated[
    dict[CapabilityText, Annotated[LimitEntry, Between(1)]],
    Between(1, 1),
    Says("A capability or action that is allowed for some requests only."),
]


class MatchEntry(TypedDict):
    alias: NotRequired[
        Annotated[
            str,
            Matches("alias/.*"),
            Says("An alias of the key.", "keys with any alias or none", "alias: alias/payments-*"),
        ]
    ]
    arn: NotRequired[
        Annotated[
            str,
            Matches(ARN),
            Says(
                "The ARN of the key, six parts; a wildcard stays within its part.",
                "keys with any ARN",
                "arn: arn:aws:kms:*:111122223333:key/1234abcd-*",
            ),
        ]
    ]
    id: NotRequired[
        Annotated[
            Words,
            Says(
                "STACK/LOGICAL-ID or the logical id.",
                "keys with any logical id",
                "id: Ledger/LedgerKey*",
            ),
        ]
    ]
    path: NotRequired[
        Annotated[
            Words,
            Says(
                "The construct path, or STACK/PATH.",
                "keys at any construct path",
                "path: Ledger/Data/*",
            ),
        ]
    ]
    urn: NotRequired[
        Annotated[
            Words,
            Says(
                "The URN of the resource in Pulumi.",
                "keys with any URN",
                'urn: "urn:pulumi:prod::*::ledger"',
            ),
        ]
    ]
    stack: NotRequired[
        Annotated[
            Words, Says("The stack that holds the key.", "keys of any stack", "stack: Ledger-prod")
        ]
    ]
    tags: NotRequired[
        Annotated[
            Tags,
            Says(
                "The key has all of these tags.",
                "keys with any tags or none",
                "tags: {data: card, stage: prod}",
            ),
        ]
    ]


KeyEntry = TypedDict(
    "KeyEntry",
    {
        "name": Annotated[
            Words,
            Says(
                "What findings call the entry; no other has this name.",
                example="name: payments data",
            ),
        ],
        "match": Annotated[
            MatchEntry,
            Between(1),
            Says(
                "Which keys: every field that is given must match. * and ? are wildcards, also in "
                "the values of tags, and span slashes.",
                example="match: {alias: alias/payments-*, stack: Ledger-prod}",
            ),
        ],
        "allow": NotRequired[
            Annotated[
                dict[str, list[CapabilityText | LimitedCapability]],
                Says(
                    "What each team may do, by its name. Entries that match the same key add up; "
                    "what none of them allows is a finding.",
                    "the entry allows nothing",
                    "allow:\n  payments: [use, view]\n  backup: [{decrypt: {via: [s3]}}]",
                ),
            ]
        ],
        "require": NotRequired[
            Annotated[
                dict[str, list[CapabilityText]],
                Says(
                    "What each team must surely be able to do. A team keeps an action as long as "
                    "one of its principals surely can do it.",
                    "no access has to be there",
                    "require:\n  payments: [encrypt, decrypt]",
                ),
            ]
        ],
        "iam-delegation": NotRequired[
            Annotated[
                Literal["allowed", "forbidden"],
                Says(
                    "Whether the key policy may let identity policies give access. It is an error "
                    "that two entries for one key say different things.",
                    "allowed",
                    "iam-delegation: forbidden",
                ),
            ]
        ],
    },
)
