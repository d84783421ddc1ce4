"""Which aws-cdk-lib the guard can rely on."""

from __future__ import annotations

import re
from importlib import metadata

import aws_cdk as cdk

DISTRIBUTION = "aws-cdk-lib"
FLOOR = (2, 262)


class UnsupportedLibraryError(RuntimeError):
    """The installed aws-cdk-lib would let findings pass.

    Not an `ImportError`, so that code that treats this package as optional does not drop the guard.
    """

    def __init__(self, found: str) -> None:
        self.message = f'aws-cdk-lib "{found}" is not supported'
        self.help = (
            "install aws-cdk-lib 2.262.0 or newer: "
            "older versions end synthesis with exit code 0 although a validation plugin failed it"
        )
        super().__init__(f"{self.message}\n  help  {self.help}")


def require_supported_library() -> None:
    """Refuse an aws-cdk-lib below 2.262.0, the first one that fails in every kind of run.

    Raises `UnsupportedLibraryError`, also when the version cannot be determined.
    Source: reference cdk-synthesis, section 6.
    """
    try:
        found = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise UnsupportedLibraryError("version unknown") from None
    number = re.match(r"(\d+)\.(\d+)", found)
    if number is None or (int(number[1]), int(number[2])) < FLOOR:
        raise UnsupportedLibraryError(found)
    if not hasattr(getattr(cdk, "Validations", None), "add_plugins"):
        raise UnsupportedLibraryError(f"{found} without Validations.add_plugins")
    if not hasattr(getattr(cdk, "IPolicyValidationContext", None), "app_construct"):
        raise UnsupportedLibraryError(f"{found} without IPolicyValidationContext.app_construct")
