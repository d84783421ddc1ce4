"""One broken rule, with the evidence."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from kms_access.decisions.proof import Proof
from kms_access.inventory.origin import Origin
from kms_access.rules.model import Level
from kms_access.rules.yaml_nodes import Place


@dataclass(frozen=True, slots=True)
class Finding:
    """One access fact that breaks a rule, or that could not be decided.

    `claim` is complete in one line; long names are shortened there. `principal`, `capability` and
    `actions` are empty where the finding is about a key as a whole. `when` is `always`, or the
    condition in words; `example` is a request that shows what is wrong, where not any does. `rule`
    says which rule is broken, `rule_place` where it stands, None for a built-in one; `fix` is the
    smallest change.
    """

    check: str
    level: Level
    claim: str
    key: str
    key_origin: Origin | None = None
    principal: str = ""
    principal_origin: Origin | None = None
    principal_identity: str = ""
    capability: str = ""
    actions: tuple[str, ...] = ()
    when: str = ""
    proof: Proof = field(default_factory=lambda: Proof(()))
    details: tuple[str, ...] = ()
    example: str = ""
    rule: str = ""
    rule_place: Place | None = None
    fix: str = ""
    fact: str = ""
    """Tells findings about one key apart that have no principal: the unknown, the problem."""

    @property
    def fingerprint(self) -> str:
        """Stable as long as the access fact is the same: check, principal, key, capability."""
        key = self.key_origin.identity if self.key_origin else self.key
        fact = (self.check, self.principal_identity, key, self.capability, self.fact)
        text = "\0".join(fact).encode("utf-8", "surrogatepass")
        return hashlib.sha256(text).hexdigest()[:16]

    @property
    def order(self) -> tuple[object, ...]:
        """Errors first, then by check, key, principal, capability and what tells them apart."""
        return (
            *(self.level is not Level.ERROR, self.check, self.key, self.principal),
            *(self.capability, self.claim, self.fact, self.details),
        )
