"""One access in prose: every step of the decision, what would have to change, the detours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kms_access.decisions.decision_steps import StepKind
from kms_access.decisions.detour import Detour
from kms_access.decisions.explanation import Explanation
from kms_access.decisions.matching import Hit
from kms_access.decisions.missing_access import Change
from kms_access.decisions.proof import statement_name
from kms_access.decisions.resolution import AccessState
from kms_access.inventory.actions import find_action
from kms_access.inventory.model import Policy
from kms_access.policies.answers import Reason, Truth
from kms_access.reports.access import ANSWERS
from kms_access.reports.explained_steps import described_step, on_this_key
from kms_access.reports.terminal import safe
from kms_access.reports.text import describe_place
from kms_access.rules.checks.access_facts import when_open
from kms_access.rules.steps import described_steps

_SHOWN_DETOURS = 5
_SHOWN_CHANGES = 6

_TITLES = {
    StepKind.SCOPE: "who asks",
    StepKind.DENIES: "denies",
    StepKind.ORGANIZATION: "organization",
    StepKind.BOUNDARY: "permissions boundary",
    StepKind.KEY_POLICY: "key policy",
    StepKind.IDENTITY: "identity policies",
    StepKind.GRANTS: "grants",
}


def render_explanation(explanation: Explanation) -> str:
    """The answer, its steps, and what leads or would lead to the access. Deterministic."""
    access = explanation.access
    question = f"can {access.subject.label} {access.action} with key {access.key.label}"
    blocks = [f"{ANSWERS[access.state]}: {question}", *_steps(explanation)]
    blocks.append("\n".join([f"{len(_TITLES) + 1} result", *_result(explanation)]))
    if access.state.is_denied:
        blocks.append("\n".join(["what would have to change", *_changes(explanation)]))
    blocks.append("\n".join(["detours", *_detours(explanation.detours)]))
    notes = [
        f"  {n.policy.label}, {n.problem.place}: {n.problem.message}" for n in explanation.notes
    ]
    if notes:
        blocks.append("\n".join(["notes", *notes]))
    lines = "\n\n".join(blocks).split("\n")
    return "\n".join(safe(line) for line in lines) + "\n"


def _steps(explanation: Explanation) -> Iterator[str]:
    for number, step in enumerate(explanation.steps, 1):
        lines = described_step(step, explanation)
        yield "\n".join([f"{number} {_TITLES[step.kind]}", *(f"  {line}" for line in lines)])


def _result(explanation: Explanation) -> Iterator[str]:
    access = explanation.access
    match access.state:
        case AccessState.ALLOWED:
            yield f"  allowed{_by_steps(explanation)}"
        case AccessState.CONDITIONAL:
            yield f"  allowed{_by_steps(explanation)} if {access.condition}"
            yield f"  a request that succeeds: {_witness(explanation)}"
        case AccessState.DELEGATED:
            yield "  allowed as far as policies that are not among the definitions allow it"
            yield from _open(access.decision.reasons)
        case AccessState.UNDECIDED:
            yield "  undecided, which is never a pass"
            yield from _open(access.decision.reasons)
        case AccessState.EXPLICITLY_DENIED:
            yield "  denied by step 2, whatever allows it"
        case AccessState.IMPLICITLY_DENIED:
            yield f"  denied by default: {_missing_steps(explanation)}"


def _missing_steps(explanation: Explanation) -> str:
    """The steps that would have to allow it, and do not."""
    needed = [StepKind.SCOPE, StepKind.ORGANIZATION, StepKind.BOUNDARY, StepKind.KEY_POLICY]
    if not explanation.is_named_directly:
        needed.append(StepKind.IDENTITY)
    numbers = [
        str(number)
        for number, step in enumerate(explanation.steps, 1)
        if step.kind in needed and step.is_asked and step.answer.truth is Truth.FALSE
    ]
    if not numbers:
        return "the steps together do not allow it"
    return (
        f"step {numbers[0]} does not allow it"
        if len(numbers) == 1
        else (f"steps {', '.join(numbers[:-1])} and {numbers[-1]} do not allow it")
    )


def _by_steps(explanation: Explanation) -> str:
    """Which steps the access rests on: ` by steps 5 and 6`."""
    responsible = {_name(hit) for hit in explanation.access.decision.responsible}
    numbers = [
        str(number)
        for number, step in enumerate(explanation.steps, 1)
        if step.kind is not StepKind.DENIES and responsible & {_name(hit) for hit in step.hits}
    ]
    if not numbers:
        return ""
    *first, last = numbers
    return f" by steps {', '.join(first)} and {last}" if first else f" by step {last}"


def _name(hit: Hit) -> tuple[int, int]:
    return id(hit.source), id(hit.statement)


def _witness(explanation: Explanation) -> str:
    witness = explanation.witness
    example = explanation.access.example or "any"
    if witness is None:
        return example
    return f"{witness.action} by {witness.principal.arn}, with {example}"


def _open(reasons: Iterable[Reason]) -> Iterator[str]:
    for reason in reasons:
        rule = f" ({reason.rule})" if reason.rule else ""
        yield f"  open: {reason.text}{rule}"


def _changes(explanation: Explanation) -> Iterator[str]:
    access = explanation.access
    if not explanation.changes:
        info = find_action(access.action)
        across = explanation.step(StepKind.SCOPE).answer.truth is Truth.FALSE
        if info is not None and across:
            yield f"  nothing helps: {info.name} has no effect across accounts"
        else:
            yield "  none of the changes that were tried is enough"
        return
    alone = len(explanation.changes) == 1
    yield "  this alone:" if alone else "  one of these, each is enough:"
    for changes in explanation.changes[:_SHOWN_CHANGES]:
        yield "  - " + ", and ".join(_change(change, explanation) for change in changes)
    more = len(explanation.changes) - _SHOWN_CHANGES
    if more > 0:
        yield f"  - and {more} more ways"


def _change(change: Change, explanation: Explanation) -> str:
    access = explanation.access
    who, action = access.subject.label, access.action
    match change:
        case Change.WITHOUT_DENY:
            return f"{_denying(explanation)} no longer denies it"
        case Change.ORGANIZATION:
            return f"a service control policy of every level allows {action}"
        case Change.BOUNDARY:
            return f"the permissions boundary of {who} allows {action}"
        case Change.KEY_POLICY_NAMES:
            return f"the key policy allows {action} to {who}"
        case Change.KEY_POLICY_DELEGATES:
            account = explanation.caller.account
            return f"the key policy lets account {account} delegate {action}"
        case Change.IDENTITY:
            return f"an identity policy of {who} allows {action}{on_this_key(explanation)}"
        case Change.GRANT:
            return f"a grant gives {who} {action.partition(':')[2]}"


def _denying(explanation: Explanation) -> str:
    names = dict.fromkeys(
        f"{statement_name(hit.statement)} of the {hit.source.label}"
        for hit in explanation.step(StepKind.DENIES).hits
        if hit.statement is not None and isinstance(hit.source, Policy)
    )
    return " or ".join(names) or "what denies it"


def _detours(detours: tuple[Detour, ...]) -> Iterator[str]:
    if not detours:
        yield "  none leads to it"
    for detour in detours[:_SHOWN_DETOURS]:
        when = when_open(detour.reasons)
        yield f"  by {described_steps(detour)}" + ("" if when == "always" else f", {when}")
        for number, hop in enumerate(detour.proof.hops, 1):
            yield f"    {number} {hop.text}  [{describe_place(hop.origin)}]"
    more = len(detours) - _SHOWN_DETOURS
    if more > 0:
        yield f"  and {more} more"
