"""Plans, what is deployed, and what must be true of both joined: the table of `joined`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kms_access.decisions.access_map import access_map
from kms_access.decisions.lookup import find_key, find_subject
from kms_access.inventory.arns import iam_arn, key_arn, unknown_key_id, unknown_name
from kms_access.inventory.model import Identity, Inventory, Key, ManagedPolicy, Policy
from kms_access.inventory.origin import NotCovered, Origin
from kms_access.policies.answers import Reason, ReasonKind
from kms_access.policies.grammar import IDENTITY_POLICY, PERMISSIONS_BOUNDARY
from kms_access.policies.parsing import parse_policy, unreadable_policy
from kms_access.policies.text import Text, concat, unknown_text
from tests import builders
from tests.builders import (
    ACCOUNT,
    DELEGATION,
    OTHER,
    REGION,
    allow,
    document,
    grant,
    iam,
    role,
    role_arn,
    user,
)

PARTITION = unknown_text("the partition of the deployment", "[a-z-]")
OPEN_REGION = unknown_text("the Region of the deployment", "[a-z0-9-]")
LEDGER_ID = builders.arn_id("ledger")
PLAN, LOGICAL = "App/ledger", "ledger"


def deployed_key(name: str = "ledger", *statements: Any, **fields: Any) -> Key:
    """A key as a snapshot has it: its ARN is its identity."""
    key = builders.key(name, *statements, **fields)
    return replace(key, origin=Origin(str(key.arn), str(key.arn)[-36:]))


def planned_key(*statements: Any, **fields: Any) -> Key:
    """The key with alias `alias/ledger` before its id is known."""
    arn = key_arn("aws", REGION, ACCOUNT, Text((unknown_key_id(PLAN),)))
    return builders.key("ledger", *statements, **({"arn": arn} | fields))


def deployed(identity: Identity) -> Identity:
    arn = str(identity.principal.arn)
    return replace(identity, origin=Origin(arn, arn.rpartition("/")[2]))


def unnamed_role(*statements: Any, **fields: Any) -> Identity:
    """Role `App/Api` with the name that CloudFormation is going to generate."""
    return role(Text((unknown_name("App/Unnamed", "role"),)), *statements, **fields)


def tagged(logical_id: str, stack: str = "App") -> dict[str, str]:
    return {"aws:cloudformation:stack-name": stack, "aws:cloudformation:logical-id": logical_id}


def mention(name: str, *statements: Any) -> Identity:
    """A role that the plan attaches a policy to and does not define."""
    return replace(role(name, *statements), complete=False)


def managed(name: str, *statements: Any, origin: str = "", account: str = ACCOUNT) -> ManagedPolicy:
    arn = f"arn:aws:iam::{account}:policy/{name}"
    parsed = parse_policy(document(*statements), IDENTITY_POLICY)
    return ManagedPolicy(arn, Policy(f"managed policy {name}", parsed, Origin(origin or arn)))


def outside(name: str, grammar: Any = IDENTITY_POLICY) -> Policy:
    """A managed policy of which the plan knows the ARN alone."""
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    reason = Reason(f"the content of managed policy {arn}", ReasonKind.UNREADABLE, "K65")
    kind = "managed policy" if grammar is IDENTITY_POLICY else grammar.title
    return Policy(f"{kind} {arn}", unreadable_policy(grammar, reason), Origin("App/Api"))


def inventory(*parts: Any, **fields: Any) -> Inventory:
    return Inventory(
        tuple(part for part in parts if isinstance(part, Key)),
        tuple(part for part in parts if isinstance(part, Identity)),
        managed_policies=tuple(part for part in parts if isinstance(part, ManagedPolicy)),
        **fields,
    )


def state(found: Inventory, who: str, action: str = "kms:Decrypt", key: str = "") -> str:
    facts = access_map(found)
    wanted = key or found.keys[0].origin.identity
    access = facts.evaluator.access(find_subject(facts, who), find_key(facts, wanted), action)
    return access.state.value


@dataclass(frozen=True)
class Case:
    """`expected` holds what must be true of the joined inventory, in words."""

    planned: Inventory
    deployed: Inventory
    expected: dict[str, Callable[[Inventory], object]]


LITERAL = iam("kms:Decrypt", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{LEDGER_ID}")
OF_PLANNED = iam("kms:Decrypt", key_arn("aws", REGION, ACCOUNT, Text((unknown_key_id(PLAN),))))


def one_key(found: Inventory) -> bool:
    return len(found.keys) == 1


def decrypts(who: str, key: str = "") -> Callable[[Inventory], bool]:
    return lambda found: state(found, who, key=key) == "allowed"


def denied(who: str, key: str = "") -> Callable[[Inventory], bool]:
    return lambda found: state(found, who, key=key) == "denied by default"


def undecided(who: str, key: str = "") -> Callable[[Inventory], bool]:
    return lambda found: state(found, who, key=key) == "undecided"


CASES = {
    "the key of an alias is the deployed one, and so are literal ARNs of it": Case(
        inventory(planned_key()),
        inventory(deployed_key(), deployed(user("dana", LITERAL)), deployed(user("lee"))),
        {"one key": one_key, "dana": decrypts("user dana"), "lee": denied("user lee")},
    ),
    "the key of the tags of CloudFormation is the deployed one": Case(
        inventory(planned_key(aliases=()), role("api", OF_PLANNED)),
        inventory(deployed_key(aliases=(), tags=tagged(LOGICAL))),
        {
            "one key": one_key,
            "api": decrypts("role api"),
            "real ARN": lambda found: found.keys[0].arn == deployed_key().arn,
            "kept tags": lambda found: dict(found.keys[0].tags) == tagged(LOGICAL),
        },
    ),
    "the planned key policy wins": Case(
        inventory(planned_key(allow(role_arn("new"), "kms:Decrypt"))),
        inventory(deployed_key("ledger", allow(role_arn("old"), "kms:Decrypt"))),
        {"one key": one_key, "new": decrypts("role new")},
    ),
    "the tags of the plan win, further aliases stay": Case(
        inventory(planned_key(tags={"team": "new"})),
        inventory(
            deployed_key(tags={"team": "old", "gone": "x"}, aliases=("alias/ledger", "alias/more"))
        ),
        {
            "tags": lambda found: dict(found.keys[0].tags) == {"team": "new"},
            "aliases": lambda found: found.keys[0].aliases == ("alias/ledger", "alias/more"),
        },
    ),
    "a key that is defined elsewhere keeps what the plan does not say": Case(
        inventory(
            builders.key(
                "ledger",
                allow(role_arn("new"), "kms:Sign"),
                spec=None,
                usage=None,
                origin_of_material=None,
                aliases=(),
            )
        ),
        inventory(deployed_key(spec="RSA_2048", usage="SIGN_VERIFY", tags={"team": "a"})),
        {
            "one key": one_key,
            "usage": lambda found: found.keys[0].usage == "SIGN_VERIFY",
            "spec": lambda found: found.keys[0].spec == "RSA_2048",
            "tags": lambda found: found.keys[0].tags == {"team": "a"},
            "policy": lambda found: state(found, "role new", "kms:Sign") == "allowed",
        },
    ),
    "a key of another spec is another key, and takes the alias": Case(
        inventory(planned_key(spec="RSA_2048", usage="SIGN_VERIFY")),
        inventory(deployed_key(aliases=("alias/ledger", "alias/old"))),
        {
            "both keys": lambda found: len(found.keys) == 2,
            "alias": lambda found: (
                [k.aliases for k in found.keys if k.usage == "ENCRYPT_DECRYPT"] == [("alias/old",)]
            ),
        },
    ),
    "a new key is none of the keys that it cannot be": Case(
        inventory(planned_key(DELEGATION)),
        inventory(
            deployed_key("other", aliases=(), tags=tagged("other", "Other"), multi_region=True),
            deployed(role("reader", iam("kms:Decrypt", str(deployed_key("other").arn)))),
            deployed(role("all", iam("kms:Decrypt"))),
        ),
        {
            "reader of the other key": denied("role reader", PLAN),
            "reader of all keys": decrypts("role all", PLAN),
        },
    ),
    "a key without alias and tags may be a deployed one": Case(
        inventory(planned_key(aliases=())),
        inventory(deployed_key(aliases=()), deployed(user("dana", LITERAL))),
        {
            "both keys": lambda found: len(found.keys) == 2,
            "open": undecided("user dana", PLAN),
        },
    ),
    "an AWS managed key is never the planned one": Case(
        inventory(planned_key(DELEGATION)),
        inventory(deployed_key(manager="AWS"), deployed(user("dana", LITERAL))),
        {"dana": denied("user dana", PLAN)},
    ),
    "the same alias in another account or Region is another key": Case(
        inventory(planned_key()),
        inventory(
            deployed_key(account=OTHER, arn=key_arn("aws", REGION, OTHER, LEDGER_ID)),
            deployed_key(region="us-east-1", arn=key_arn("aws", "us-east-1", ACCOUNT, LEDGER_ID)),
        ),
        {"three keys": lambda found: len(found.keys) == 3},
    ),
    "an alias in a Region that is not known says nothing": Case(
        inventory(
            planned_key(
                region=OPEN_REGION,
                arn=key_arn("aws", OPEN_REGION, ACCOUNT, Text((unknown_key_id(PLAN),))),
            )
        ),
        inventory(deployed_key()),
        {"both keys": lambda found: len(found.keys) == 2},
    ),
    "a planned role replaces the deployed one": Case(
        inventory(planned_key(), role("api", iam("kms:Encrypt"))),
        inventory(deployed_key(), deployed(role("api", iam("kms:Decrypt")))),
        {"one": lambda found: len(found.identities) == 1, "new": denied("role api")},
    ),
    "a role without name is the deployed one of its tags": Case(
        inventory(
            planned_key(
                allow(iam_arn("aws", ACCOUNT, "role", "/", unnamed_role().principal.name), "kms:*")
            ),
            unnamed_role(),
        ),
        inventory(
            deployed(role("App-Unnamed-1A2B3C4D5E6F", iam("kms:*"), tags=tagged("Unnamed"))),
        ),
        {
            "one": lambda found: len(found.identities) == 1,
            "real name": decrypts(role_arn("App-Unnamed-1A2B3C4D5E6F")),
        },
    ),
    "policies for a role defined elsewhere are added to what it has": Case(
        inventory(planned_key(), mention("api", iam("kms:Decrypt"))),
        inventory(
            deployed(
                replace(
                    role("api"),
                    policies=(
                        replace(role("x", iam("kms:Encrypt")).policies[0], label="inline Other"),
                    ),
                )
            )
        ),
        {
            "known": lambda found: found.identities[0].complete,
            "planned": decrypts("role api"),
            "deployed": lambda found: state(found, "role api", "kms:Encrypt") == "allowed",
            "nothing else": lambda found: state(found, "role api", "kms:Sign") != "delegated",
        },
    ),
    "a policy of one name is one policy": Case(
        inventory(planned_key(), mention("api", iam("kms:Encrypt"))),
        inventory(deployed(role("api", iam("kms:Decrypt")))),
        {"replaced": denied("role api")},
    ),
    "a role that a key policy names is a real one": Case(
        inventory(planned_key(DELEGATION, allow(role_arn("api"), "kms:Encrypt"))),
        inventory(deployed(role("api", iam("kms:Decrypt")))),
        {"decided": decrypts("role api")},
    ),
    "deployed identities stay": Case(
        inventory(planned_key()),
        inventory(deployed(role("admin", iam("kms:*"))), deployed(role("none"))),
        {"admin": decrypts("role admin"), "none": denied("role none")},
    ),
    "a managed policy defined elsewhere is what is deployed": Case(
        inventory(planned_key(), replace(role("api"), policies=(outside("Shared"),))),
        inventory(managed("Shared", iam("kms:Decrypt"))),
        {"api": decrypts("role api")},
    ),
    "a boundary defined elsewhere is what is deployed": Case(
        inventory(
            planned_key(),
            replace(
                role("api", iam("kms:Decrypt")),
                boundary=(outside("Limit", PERMISSIONS_BOUNDARY),),
            ),
        ),
        inventory(managed("Limit", iam("kms:Encrypt"))),
        {
            "capped": denied("role api"),
            "as boundary": lambda found: (
                found.identities[0].boundary[0].document.grammar is PERMISSIONS_BOUNDARY
            ),
        },
    ),
    "a planned managed policy is in force for everybody who has it": Case(
        inventory(planned_key(), managed("Shared", iam("kms:Encrypt"), origin="App/Shared")),
        inventory(
            deployed(
                replace(role("api"), policies=(managed("Shared", iam("kms:Decrypt")).policy,))
            ),
            managed("Shared", iam("kms:Decrypt")),
        ),
        {
            "new": lambda found: state(found, "role api", "kms:Encrypt") == "allowed",
            "old": denied("role api"),
            "once": lambda found: len(found.managed_policies) == 1,
        },
    ),
    "a planned managed policy is found where its partition is open": Case(
        inventory(
            planned_key(),
            ManagedPolicy(
                concat(("arn:", PARTITION, ":iam::", ACCOUNT, ":policy/Shared")),
                managed("Shared", iam("kms:Encrypt"), origin="App/Shared").policy,
            ),
        ),
        inventory(
            deployed(
                replace(role("api"), policies=(managed("Shared", iam("kms:Decrypt")).policy,))
            ),
            managed("Shared", iam("kms:Decrypt")),
        ),
        {"new": lambda found: state(found, "role api", "kms:Encrypt") == "allowed"},
    ),
    "a deployed grant that says the same is there once": Case(
        inventory(
            planned_key(),
            grants=(grant(planned_key(), GranteePrincipal=role_arn("a"), Operations=["Decrypt"]),),
        ),
        inventory(
            deployed_key(),
            grants=(
                grant(deployed_key(), GranteePrincipal=role_arn("a"), Operations=["Decrypt"]),
                grant(deployed_key(), GranteePrincipal=role_arn("b"), Operations=["Decrypt"]),
            ),
        ),
        {
            "two": lambda found: len(found.grants) == 2,
            "on the real key": lambda found: (
                {g.key_arn for g in found.grants} == {deployed_key().arn}
            ),
            "deployed": decrypts("role b"),
        },
    ),
    "an open partition is that of the account": Case(
        inventory(
            planned_key(
                partition=PARTITION,
                arn=key_arn(PARTITION, REGION, ACCOUNT, Text((unknown_key_id(PLAN),))),
                source=document(
                    allow({"AWS": concat(("arn:", PARTITION, ":iam::", ACCOUNT, ":root"))}, "kms:*")
                ),
            )
        ),
        inventory(deployed(role("api", iam("kms:Decrypt")))),
        {"decided": decrypts("role api")},
    ),
    "what either could not read stays known": Case(
        inventory(planned_key(), not_covered=(NotCovered(Origin("App/X"), "x"),)),
        inventory(not_covered=(NotCovered(Origin("y"), "y", True),)),
        {"both": lambda found: [note.reason for note in found.not_covered] == ["x", "y"]},
    ),
    "the plan with its default values is joined as well": Case(
        replace(inventory(planned_key()), with_defaults=inventory(planned_key())),
        inventory(deployed_key(), deployed(user("dana", LITERAL))),
        {
            "joined": lambda found: (
                found.with_defaults is not None and decrypts("user dana")(found.with_defaults)
            )
        },
    ),
}
