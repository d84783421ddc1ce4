"""The account and region of each provider of the program."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policypack.mocked_program.made_up import MadeUp

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_ACCOUNT = re.compile("[0-9]{12}", re.ASCII)


class NoRegion(Exception):
    """A provider without a region, with which no deployment is possible either."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the resources of a provider are made."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The partition that the region belongs to."""
        for prefix, partition in (
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-isob-", "aws-iso-b"),
            ("us-iso", "aws-iso"),
        ):
            if self.region.startswith(prefix):
                return partition
        return "aws"


@dataclass(slots=True)
class Places:
    """Providers as the program sets them up, and the default ones of the configuration."""

    made_up: MadeUp
    account: str
    """The account id where a provider does not tell it, or ""."""

    region: str
    """The region of the environment, or ""."""

    config: Mapping[str, str]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The settings of each provider, by URN."""

    def provider(self, reference: str, package: str, default_urn: str) -> str:
        """The URN of the provider that a request names, or of the default one of `package`."""
        if reference:
            return reference.rpartition("::")[0]
        if default_urn not in self.settings:
            prefix = f"{package}:"
            self.settings[default_urn] = {
                key.removeprefix(prefix): value
                for key, value in self.config.items()
                if key.startswith(prefix)
            }
        return default_urn

    def of(self, provider: str, inputs: Mapping[str, Any]) -> Place:
        """Where a provider makes a resource. Raises `NoRegion`."""
        settings = self.settings.setdefault(provider, {})
        if not _text(settings.get("region")) and self.region:
            settings["region"] = self.region
        region = _text(inputs.get("region")) or _text(settings.get("region"))
        if not region:
            name = provider.split("::", 3)[-1]
            raise NoRegion(f'the AWS provider "{name}" has no region')
        return Place(self._account(provider, settings), region)

    def _account(self, provider: str, settings: Mapping[str, Any]) -> str:
        allowed = _nested(settings.get("allowedAccountIds"))
        if isinstance(allowed, list) and len(allowed) == 1 and _ACCOUNT.fullmatch(str(allowed[0])):
            return str(allowed[0])
        roles = _nested(settings.get("assumeRoles"))
        last = (
            roles[-1] if isinstance(roles, list) and roles else _nested(settings.get("assumeRole"))
        )
        if isinstance(last, Mapping):
            arn = str(last.get("roleArn") or last.get("role_arn") or "")
            if arn.count(":") >= 5 and _ACCOUNT.fullmatch(arn.split(":")[4]):
                return arn.split(":")[4]
        return self.account or self.made_up.account(provider)


def is_known(value: object) -> bool:
    """Whether no part of a value is unknown to the program."""
    if isinstance(value, Mapping):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return not (isinstance(value, str) and UNKNOWN in value)


def _text(value: object) -> str:
    return value if isinstance(value, str) and is_known(value) else ""


def _nested(value: object) -> object:
    """Nested settings of a provider are JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
