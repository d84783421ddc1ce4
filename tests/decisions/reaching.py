"""Trust policies and detours in a few words, for the tests of reach."""

from __future__ import annotations

from typing import Any

from kms_access.decisions.access_map import access_map
from kms_access.decisions.detour import Detour
from kms_access.decisions.lookup import find_key
from kms_access.decisions.reach import Reach
from kms_access.decisions.static_facts import Organization
from kms_access.inventory.model import Identity, Inventory, Key, Policy
from kms_access.inventory.origin import Origin
from kms_access.policies.grammar import TRUST_POLICY
from kms_access.policies.parsing import parse_policy
from tests.builders import ACCOUNT, document

ORGANIZATION = Organization("o-a1b2c3d4e5", frozenset({ACCOUNT}))
ANY_OTHER = f"any other identity of account {ACCOUNT}"


def lets(who: Any, action: Any = "sts:AssumeRole", effect: str = "Allow", **more: Any) -> Any:
    """A statement of a trust policy for a principal element or an ARN."""
    element = who if isinstance(who, dict) or who == "*" else {"AWS": who}
    return {"Effect": effect, "Principal": element, "Action": action, **more}


def trust(*statements: Any, source: Any = None) -> tuple[Policy, ...]:
    """A trust policy; `source` in the place of statements is parsed as it is."""
    parsed = parse_policy(document(*statements) if source is None else source, TRUST_POLICY)
    return (Policy("trust policy", parsed, Origin("App/Trust", "Trust", "App", "app.py", 30)),)


def reach(identities: Any, *keys: Key, **fields: Any) -> Reach:
    found = identities if isinstance(identities, (tuple, list)) else (identities,)
    assert all(isinstance(identity, Identity) for identity in found)
    inventory = Inventory(keys, tuple(found), **fields)
    return Reach(access_map(inventory, ORGANIZATION), ORGANIZATION)


def detours(search: Reach, subject: str, action: str, on: str = "alias/k") -> list[Detour]:
    """The detours of one subject, by its label, that give one action on one key."""
    found = [one for one in search.subjects if one.label == subject]
    assert len(found) == 1, [one.label for one in search.subjects]
    key = find_key(search.access_map, on)
    return [detour for detour in search.of(found[0], key) if action in detour.actions]


def told(detour: Detour) -> str:
    """A detour in one line: `ASSUMED_ROLE, GRANT: ALLOWED via role ci`."""
    kinds = ", ".join(kind.name for kind in detour.kinds)
    via = " via " + ", ".join(detour.through) if detour.through else ""
    return f"{kinds}: {detour.state.name}{via}"


def obtained(search: Reach, subject: str, kind: str) -> frozenset[str]:
    """The actions of all detours of one subject to the only key that end with this kind."""
    (found,) = (one for one in search.subjects if one.label == subject)
    (key,) = search.access_map.keys
    ends = (one.actions for one in search.of(found, key) if one.kinds[-1].name == kind)
    return frozenset().union(*ends)
