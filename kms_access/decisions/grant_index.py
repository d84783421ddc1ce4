"""The grants of one key that can matter to a caller, found without trying each (K87, K101)."""

from __future__ import annotations

from collections.abc import Iterable

from kms_access.decisions.key_coverage import is_settled
from kms_access.inventory.model import Grant
from kms_access.policies.answers import Reason, Truth
from kms_access.policies.overlap import same
from kms_access.policies.principals import Principal, PrincipalKind, parse_principal
from kms_access.policies.text import Value


class GrantIndex:
    """The grants on one key by whom they name."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self.grants = tuple(grants)
        self._open: list[int] = []
        self._named: dict[tuple[Value, Value], list[int]] = {}
        self._issued: dict[tuple[Value, Reason | None, Value], int] = {}
        for place, grant in enumerate(self.grants):
            names = [_name(g) for g in (grant.grantee, grant.retiring_principal) if g is not None]
            if None in names:
                self._open.append(place)
                continue
            for name in names:
                if name is not None:
                    self._named.setdefault(name, []).append(place)
            if grant.issuing_account is not None:
                # Any one of equal grants lets its account retire it.
                issued = (grant.issuing_account, grant.uncertain, grant.key_arn)
                self._issued.setdefault(issued, place)

    @property
    def is_impersonal(self) -> bool:
        """Whether all identities that no grant names have the same from the grants.

        What remains for them is retiring by their account, which asks for no condition (K102).
        """
        return not self._open

    def for_caller(self, caller: Principal) -> tuple[Grant, ...]:
        """The grants that may name the caller or its account, in their order."""
        if not self.grants:
            return ()
        places = {*self._open, *self._issued.values()}
        if is_settled(caller.account) and is_settled(caller.name):
            places.update(self._named.get((caller.account, caller.name), ()))
        else:
            for (account, name), named in self._named.items():
                there = same(account, caller.account) & same(name, caller.name)
                if there.truth is not Truth.FALSE:
                    places.update(named)
        return tuple(self.grants[place] for place in sorted(places))


def _name(grantee: Value) -> tuple[Value, Value] | None:
    """Account and name of an identity; None for whatever may stand for several callers."""
    principal = parse_principal(grantee)
    if principal is None or principal.kind in (PrincipalKind.ROOT, PrincipalKind.SERVICE):
        return None
    name = (principal.account, principal.name)
    return name if all(map(is_settled, name)) else None
