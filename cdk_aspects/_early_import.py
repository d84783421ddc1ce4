"""Importing the evaluator while the library is busy in its own process."""

from __future__ import annotations

import importlib
import threading
from contextlib import suppress

import constructs
import jsii

EVALUATION = "cdk_aspects._evaluation"


@jsii.implements(constructs.IValidation)
class EarlyImport:
    """A validation for `app.node.add_validation(...)` that never has anything to say.

    The library asks validations right before it writes the templates, and this process then waits
    for it: time in which the evaluator is imported, so that nobody waits for that later.
    """

    def validate(self) -> list[str]:
        """Called by the library. Always empty, and never raises."""
        # Without a thread, the import happens when the plugin is asked.
        with suppress(Exception):
            threading.Thread(target=_import, name="kms-access import", daemon=True).start()
        return []


def _import() -> None:
    # What fails here fails once more in the plugin, which blocks and says so.
    with suppress(BaseException):
        importlib.import_module(EVALUATION)
