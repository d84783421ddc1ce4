"""Values that stand for what only a deployment knows, each with what it stands for."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Mapping

_NAMESPACE = uuid.UUID("6f1c7a52-6c0e-4c7e-9a37-0b8f4f0f5d11")


class MadeUp:
    """Makes values up; the same question gets the same value, in every run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._meanings: dict[str, Mapping[str, str]] = {}

    def meanings(self) -> dict[str, Mapping[str, str]]:
        """Every value that was made up, with what it stands for."""
        with self._lock:
            return dict(self._meanings)

    def account(self, provider: str) -> str:
        """The account id of a provider."""
        number = int(_digest(f"account {provider}")[:8], 16) % 10**9
        return self._note(f"000{number:09d}", kind="account", provider=provider)

    def key_id(self, urn: str, *, multi_region: bool) -> str:
        """The id of a KMS key."""
        unique = uuid.uuid5(_NAMESPACE, urn)
        key_id = f"mrk-{unique.hex}" if multi_region else str(unique)
        return self._note(key_id, kind="key-id", urn=urn)

    def generated_name(self, urn: str, stem: str) -> str:
        """The name that the engine gives a resource without one."""
        name = f"{stem}-{_digest(urn)[:7]}"
        return self._note(name, kind="generated-name", urn=urn)

    def prefixed_name(self, urn: str, prefix: str) -> str:
        """The name that the AWS provider makes of a prefix."""
        digits = f"{int(_digest(urn)[:20], 16):026d}"[-26:]
        return self._note(f"{prefix}{digits}", kind="prefixed-name", urn=urn, prefix=prefix)

    def attribute(self, urn: str, attribute: str, form: str = "{}") -> str:
        """An attribute that AWS gives a resource; `form` is how it looks around what is unique."""
        unique = f"made-up-{_digest(f'{urn} {attribute}')[:16]}"
        value = self._note(form.format(unique), kind="attribute", urn=urn, attribute=attribute)
        self._note(unique, kind="part", urn=urn, attribute=attribute)
        return value

    def secret(self, key: str) -> str:
        """A configuration value that is encrypted."""
        unique = f"made-up-{_digest(f'configuration {key}')[:16]}"
        return self._note(unique, kind="configuration", key=key)

    def _note(self, value: str, **meaning: str) -> str:
        with self._lock:
            self._meanings.setdefault(value, meaning)
        return value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
