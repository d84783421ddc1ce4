"""What `--policy-pack-config` can say, and the JSON schema that Pulumi checks it against.

    {"kms-access": {"rules": "access-rules.yaml", "checks": {"key-deletion": "error"}}}

A level given here wins over the one in the rules file: who runs the deployment decides what blocks
it, and the pack says on every run which levels differ for that reason. The engine refuses a level
that is not in the schema. Names of checks and of properties are left to the pack, because the
engine passes over a property that it does not know and would not say which names there are.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi_policy import PolicyConfigSchema

from kms_access.rules import Level, Rules
from kms_access.rules.checks import CHECKS
from policypack.messages import Refusal

CONFIGURED = "kms-access"
"""The policy that holds the configuration of all."""

_LEVELS = [level.value for level in Level]
_PROPERTIES: dict[str, dict[str, Any]] = {
    "rules": {
        "type": "string",
        "description": (
            "Path of the rules file, relative to the folder of the Pulumi project. Empty: "
            "built-in checks only. Not set: KMS_ACCESS_RULES, else access-rules.yaml beside "
            "Pulumi.yaml."
        ),
    },
    "checks": {
        "type": "object",
        "description": (
            "The level of single checks; it wins over the one in the rules file. error blocks, "
            "warning is advice, off is only counted."
        ),
        "properties": {
            check: {"type": "string", "enum": _LEVELS, "description": f"Level of {check}."}
            for check in CHECKS
        },
    },
}
SCHEMA = PolicyConfigSchema(properties=_PROPERTIES)
SCHEMA_OF_OTHERS = PolicyConfigSchema(
    # A value that nobody gives: the engine's refusal then says where the property belongs.
    properties={name: {"enum": [f"set it at the policy {CONFIGURED}"]} for name in _PROPERTIES}
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of the pack. `rules` is the path as given, None where none is given."""

    rules: str | None = None
    levels: Mapping[str, Level] = field(default_factory=dict)

    def over(self, rules: Rules) -> Rules:
        """The rules with the levels of the configuration in place of theirs."""
        return replace(rules, checks={**rules.checks, **self.levels})

    def levels_in_words(self, rules: Rules) -> list[str]:
        """What the configuration changes in the levels, and which checks are off."""
        lines = []
        changed = {
            check: (level, before)
            for check, level in self.levels.items()
            if level is not (before := rules.checks.get(check, CHECKS[check].level))
        }
        if changed:
            texts = (f"{c} is {new.value}, not {old.value}" for c, (new, old) in changed.items())
            lines.append(f"the policy configuration wins over the rules file: {', '.join(texts)}")
        in_force = self.over(rules).checks
        off = [check for check, level in in_force.items() if level is Level.OFF]
        if off:
            places = (
                f"{c} by the {'policy configuration' if c in self.levels else 'rules file'}"
                for c in off
            )
            lines.append(f"off: {', '.join(places)}")
        return lines


def read_settings(config: Mapping[str, object]) -> Settings:
    """The configuration of the policy `kms-access`.

    Raises `Refusal` for a property, a check or a level that does not exist, with those that do.
    """
    for name in config:
        if name not in _PROPERTIES:
            raise _unknown(name, _PROPERTIES, f'property of the policy "{CONFIGURED}"')
    rules, checks = config.get("rules"), config.get("checks", {})
    if rules is not None and not isinstance(rules, str):
        raise _refusal(f'"rules" is "{rules}", a path is expected')
    if not isinstance(checks, Mapping):
        raise _refusal(f'"checks" is "{checks}", a mapping of checks to levels is expected')
    return Settings(rules, {str(name): _level(str(name), level) for name, level in checks.items()})


def refuse_misplaced(config: Mapping[str, object], policy: str) -> None:
    """Raise `Refusal` for configuration of another policy than the one that holds it."""
    for name in config:
        if name not in _PROPERTIES:
            raise _refusal(f'unknown property "{name}" of the policy "{policy}", it accepts none')
        raise _refusal(
            f'the property "{name}" belongs to the policy "{CONFIGURED}", which reads it before '
            "the stack is complete; it has no effect here"
        )


def _level(check: str, value: object) -> Level:
    if check not in CHECKS:
        raise _unknown(check, CHECKS, 'check in "checks"')
    if value not in _LEVELS:
        raise _unknown(str(value), _LEVELS, f'level of the check "{check}"')
    return Level(value)


def _unknown(found: str, accepted: Iterable[str], what: str) -> Refusal:
    names = list(accepted)
    close = difflib.get_close_matches(found, names, 1)
    help_ = f'\n  did you mean "{close[0]}"?' if close else ""
    return _refusal(f'unknown {what} "{found}", accepted are {", ".join(names)}{help_}')


def _refusal(text: str) -> Refusal:
    return Refusal(f"the policy configuration cannot be used, so nothing was decided\n  {text}")
