"""Which aws-cdk-lib the guard can rely on."""

from __future__ import annotations

import re
from importlib import metadata

import aws_cdk as cdk

DISTRIBUTION = "aws-cdk-lib"
FLOOR = (2, 262)


HELP = (
    "install aws-cdk-lib 2.262.0 or newer: "
    "older versions end synthesis with exit code 0 although a validation plugin failed it"
)


class UnsupportedLibraryError(RuntimeError):
    """An installed library would let findings pass.

    Not an `ImportError`, so that code that treats this package as optional does not drop the guard.
    """

    def __init__(self, message: str, help: str) -> None:
        self.message = message
        self.help = help
        super().__init__(f"{message}\n  help  {help}")


def require_supported_library() -> None:
    """Refuse an aws-cdk-lib below 2.262.0, the first one that fails in every kind of run.

    Raises `UnsupportedLibraryError`, also when the version cannot be determined.
    Source: reference cdk-synthesis, section 6.
    """
    try:
        found = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise _unsupported("version unknown") from None
    number = re.match(r"(\d+)\.(\d+)", found)
    if number is None or (int(number[1]), int(number[2])) < FLOOR:
        raise _unsupported(found)
    if not hasattr(getattr(cdk, "Validations", None), "add_plugins"):
        raise _unsupported(f"{found} without Validations.add_plugins")
    if not hasattr(getattr(cdk, "IPolicyValidationContext", None), "app_construct"):
        raise _unsupported(f"{found} without IPolicyValidationContext.app_construct")


def _unsupported(found: str) -> UnsupportedLibraryError:
    return UnsupportedLibraryError(f'{DISTRIBUTION} "{found}" is not supported', HELP)
