"""The single values of a rules file as types."""

from typing import Annotated, Literal, TypeAlias

from kms_access.inventory.actions import CAPABILITIES, KMS_ACTIONS
from kms_access.rules.checks import CHECKS
from kms_access.rules.file_marks import Between, Matches, OneOf, Says
from kms_access.rules.patterns import ACCOUNT_ID, PRINCIPAL

CAPABILITY_WORDS = ("use", *CAPABILITIES)

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
