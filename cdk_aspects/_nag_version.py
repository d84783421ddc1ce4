"""Which cdk-nag the pack can be built on."""

from __future__ import annotations

import re
from importlib import metadata

from cdk_aspects._version import UnsupportedLibraryError

DISTRIBUTION = "cdk-nag"
FLOOR = 3
HELP = (
    "install cdk-nag 3 (pip install 'kms-access[nag]'), whose packs are validation plugins; "
    "without it, use cdk_aspects.attach"
)


def require_nag_packs() -> None:
    """Refuse a cdk-nag whose packs are aspects, which decide before templates are written.

    Raises `UnsupportedLibraryError`, also when cdk-nag is not installed or is of no known version.
    Source: reference cdk-synthesis, section 8.
    """
    try:
        found = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise UnsupportedLibraryError(f"{DISTRIBUTION} is not installed", HELP) from None
    number = re.match(r"\d+", found)
    if number is None or int(number[0]) < FLOOR:
        raise UnsupportedLibraryError(f'{DISTRIBUTION} "{found}" is not supported', HELP)
