"""Outside formats -> Inventory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from kms_access.inventory.model import Inventory
from kms_access.policies.json_text import JsonError, read_json
from kms_access.sources.interface import SourceError

__all__ = ["SourceError", "load"]

# A format is imported when a file is of it: a CDK app does not wait for what Pulumi writes.

_MAXIMUM_CHARACTERS = 256 << 20
_NO_PARAMETERS: Mapping[str, str] = MappingProxyType({})
_KEY_OF_EXPORT = '"deployment"'


def load(
    paths: Sequence[Path],
    *,
    account: str = "",
    parameters: Mapping[str, str] = _NO_PARAMETERS,
    known_parameters: Mapping[str, str] = _NO_PARAMETERS,
) -> Inventory:
    """Read definitions of any known format.

    That is: what `cdk synth` writes, templates, an exported Pulumi stack, or the event log of a
    Pulumi preview. `account` is the account id where the definitions leave it open. Several paths
    are one deployment, except that what Pulumi writes stands alone. `parameters` and
    `known_parameters` are values for templates (`cloudformation.load`). Raises `SourceError`.
    """
    for path in paths:
        read = _reader_of_whole_stacks(path)
        if read is not None and len(paths) > 1:
            raise SourceError(
                "an exported stack or an event log is read alone",
                str(path),
                help="give one path at a time",
            )
        if read is not None and parameters:
            raise SourceError(
                "a value for a parameter is given, and only templates have parameters", str(path)
            )
        if read is not None:
            return read(path, account=account)
    from kms_access.sources import cloudformation

    return cloudformation.load(
        paths, account=account, parameters=parameters, known_parameters=known_parameters
    )


def _reader_of_whole_stacks(path: Path) -> Callable[..., Inventory] | None:
    from kms_access.sources import account_snapshot

    if account_snapshot.is_snapshot(path):
        # What was collected says whose it is.
        return lambda path, account="": account_snapshot.load_snapshot(path)
    if not path.is_file():
        return None
    from kms_access.sources import pulumi

    if _is_export(path):
        return pulumi.load_export
    return pulumi.load_event_log if pulumi.is_event_log(path) else None


def _is_export(path: Path) -> bool:
    if path.suffix != ".json":
        return False
    try:
        text = path.read_text(encoding="utf-8-sig")
        # A template is not parsed twice only to see that it is no export.
        from kms_access.sources import pulumi

        return _KEY_OF_EXPORT in text and pulumi.is_export(
            read_json(text, maximum_characters=_MAXIMUM_CHARACTERS)
        )
    except (OSError, UnicodeDecodeError, JsonError):
        # The reader of templates says what is wrong with the file.
        return False
