"""Outside formats -> Inventory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kms_access.inventory.model import Inventory
from kms_access.policies.json_text import JsonError, read_json
from kms_access.sources import cloudformation, pulumi
from kms_access.sources.interface import SourceError

__all__ = ["SourceError", "load"]

_MAXIMUM_CHARACTERS = 256 << 20


def load(paths: Sequence[Path], *, account: str = "") -> Inventory:
    """Read definitions of any known format: what `cdk synth` writes, templates, an exported stack.

    `account` is the account id where the definitions leave it open. Several paths are one
    deployment, except that an exported Pulumi stack stands alone. Raises `SourceError`.
    """
    exports = [path for path in paths if _is_export(path)]
    if not exports:
        return cloudformation.load(paths, account=account)
    if len(paths) > 1:
        raise SourceError(
            "an exported stack is read alone", str(exports[0]), help="give one path at a time"
        )
    return pulumi.load_export(exports[0], account=account)


def _is_export(path: Path) -> bool:
    if path.suffix != ".json" or not path.is_file():
        return False
    try:
        text = path.read_text(encoding="utf-8-sig")
        return pulumi.is_export(read_json(text, maximum_characters=_MAXIMUM_CHARACTERS))
    except (OSError, UnicodeDecodeError, JsonError):
        # The reader of templates says what is wrong with the file.
        return False
