"""The steps of a decision in words, each with its statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from kms_access.decisions.decision import Decision, Verdict
from kms_access.decisions.decision_steps import Mismatch, PassedOver, Step, StepKind
from kms_access.decisions.explanation import Explanation
from kms_access.decisions.matching import Hit, combined
from kms_access.decisions.proof import Hop, Proof
from kms_access.inventory.actions import find_action
from kms_access.policies.answers import YES, Answer, Truth, hangs_on_request
from kms_access.policies.document import Effect
from kms_access.policies.principals import EntryKind, Naming, PrincipalKind
from kms_access.policies.wording import formula_text, question_text
from kms_access.reports.text import describe_place

_SHOWN = 6


def described_step(step: Step, explanation: Explanation) -> Iterator[str]:
    """A sentence, then a line for each statement that takes part or comes near."""
    match step.kind:
        case StepKind.SCOPE:
            yield from _scope(step, explanation)
        case StepKind.DENIES:
            yield _denies(step)
        case StepKind.ORGANIZATION:
            yield _organization(step, explanation)
        case StepKind.BOUNDARY:
            yield _boundary(step)
        case StepKind.KEY_POLICY:
            yield _key_policy(step, explanation)
        case StepKind.IDENTITY:
            yield from _identity(step, explanation)
        case StepKind.GRANTS:
            yield _grants(step)
    yield from _listed(_hit(hit) for hit in _once(step.hits))
    yield from _listed(_passed_over(item) for item in step.passed_over)


def _once(hits: Iterable[Hit]) -> Iterator[Hit]:
    """A statement that names the caller in several ways stands here once for each answer."""
    return iter({(id(h.source), id(h.statement), h.naming): h for h in hits}.values())


def _listed(lines: Iterable[str]) -> Iterator[str]:
    every = list(dict.fromkeys(lines))
    yield from (f"- {line}" for line in every[:_SHOWN])
    if len(every) > _SHOWN:
        yield f"- and {len(every) - _SHOWN} more"


def _scope(step: Step, explanation: Explanation) -> Iterator[str]:
    access, caller = explanation.access, explanation.caller
    who, action = access.subject.label, access.action
    if explanation.callers > 1:
        kind = caller.kind.value
        yield f"{who} stands for several callers: here for a {kind}, of whom none gets further"
    if not step.is_asked:
        yield f"{who} is no identity of an account: what the key policy and grants say decides"
        return
    if explanation.is_across:
        yield f"{who} is of account {caller.account}, the key of account {access.key.account}"
        if step.answer.truth is Truth.FALSE:
            yield f"{action} has no effect across accounts"
        else:
            yield "across accounts both the key policy and an identity policy have to allow it"
    elif step.answer.truth is Truth.TRUE:
        yield f"{who} asks within account {caller.account}, the key's own"
    else:
        yield f"whether {who} is of the key's account is open: {_reasons(step.answer)}"
        yield "the steps below are those within the account"


def _denies(step: Step) -> str:
    match step.answer.truth:
        case Truth.FALSE:
            return "no statement denies it"
        case Truth.TRUE:
            return "it is denied, whatever else allows it"
        case Truth.UNKNOWN:
            return "some requests are denied"


def _organization(step: Step, explanation: Explanation) -> str:
    if not step.is_asked:
        if explanation.caller.is_service_linked:
            return "service control policies do not bind service-linked roles"
        return "no service control policy of the definitions binds the caller"
    return _ceiling(step, "every level of the service control policies", "a level of them")


def _boundary(step: Step) -> str:
    if not step.is_asked:
        return "there is none, so nothing is limited"
    return _ceiling(step, "the permissions boundary", "it")


def _ceiling(step: Step, what: str, stops: str) -> str:
    match step.answer.truth:
        case Truth.TRUE:
            return f"{what} allows it, which gives nothing by itself"
        case Truth.FALSE:
            return f"{stops} does not allow it, so identity policies cannot give it"
        case Truth.UNKNOWN:
            return f"{what} allows some requests"


def _key_policy(step: Step, explanation: Explanation) -> str:
    access = explanation.access
    who, action = access.subject.label, access.action
    if not step.is_asked:
        info = find_action(action)
        why = "retiring a grant" if info is not None and info.needs_key else f"{action}, which is"
        return f"a key policy has no say in {why}" + (
            "" if why.startswith("retiring") else " for no single key"
        )
    if not step.hits:
        return f"no statement allows {action} to {who} or lets its account delegate it"
    if explanation.caller.kind is PrincipalKind.ROOT:
        return _allowing(step.answer)
    direct = [hit for hit in step.hits if hit.naming is not Naming.ACCOUNT]
    delegates = len(direct) < len(step.hits)
    if not direct:
        return "it leaves it to identity policies: one of them has to allow it as well"
    answer = combined(direct)
    if explanation.is_across:
        both = "an identity policy of the other account has to allow it as well"
        return f"{_allowing(step.answer)}; {both}"
    if delegates and answer.truth is not Truth.TRUE:
        return f"{_allowing(answer)}; it also leaves it to identity policies"
    return _allowing(answer)


def _allowing(answer: Answer) -> str:
    if answer.truth is Truth.TRUE:
        return "it allows it"
    return "it allows some requests" if hangs_on_request(answer) else "it may allow it"


def _identity(step: Step, explanation: Explanation) -> Iterator[str]:
    if not step.is_asked:
        yield "the caller has none"
    elif explanation.caller.kind is PrincipalKind.ROOT:
        yield "the root user needs none: it has every permission of its account"
    elif step.hits:
        if step.answer.truth is Truth.TRUE:
            yield "they allow it"
        else:
            some = hangs_on_request(step.answer)
            yield "they allow some requests" if some else "they may allow it"
    elif step.answer.truth is Truth.TRUE:
        yield "taken to allow it: what administrators of the caller's account write is not known"
    elif step.answer.truth is Truth.UNKNOWN:
        yield f"none of the definitions allows it; open: {_reasons(step.answer)}"
    else:
        yield f"none allows {explanation.access.action}{on_this_key(explanation)}" + (
            ", and none is needed" if explanation.is_named_directly else ""
        )


def on_this_key(explanation: Explanation) -> str:
    """` on this key`, where the action is one on a key."""
    info = find_action(explanation.access.action)
    return " on this key" if info is None or info.needs_key else ""


def _grants(step: Step) -> str:
    if not step.hits:
        return "no grant gives it"
    return "a grant gives it" if step.answer.truth is Truth.TRUE else "a grant may give it"


def _hit(hit: Hit) -> str:
    (hop,) = Proof.of(Decision(Verdict.DEPENDS, (hit,))).hops
    return f"{hop.text}{_when(hit.answer)}{_place(hop)}"


def _when(answer: Answer) -> str:
    if answer.truth is not Truth.UNKNOWN:
        return ""
    if hangs_on_request(answer):
        return f", if {formula_text(answer.formula)}"
    return f", open: {_reasons(answer)}"


def _place(hop: Hop) -> str:
    return f"  [{describe_place(hop.origin)}]"


def _reasons(answer: Answer) -> str:
    return ", ".join(dict.fromkeys(reason.text for reason in answer.reasons))


def _passed_over(item: PassedOver) -> str:
    statement = item.statement
    naming = None
    if statement.principal is not None:
        kinds = {entry.kind for entry in statement.principal.entries}
        delegates = kinds == {EntryKind.ACCOUNT} and not statement.principal.negated
        naming = Naming.ACCOUNT if delegates else Naming.EVERYONE
    hit = Hit(item.policy, Effect.ALLOW, YES, replace(statement, conditions=()), naming)
    (hop,) = Proof.of(Decision(Verdict.ALLOWED, (hit,))).hops
    match item.mismatch:
        case Mismatch.PRINCIPAL:
            why = "which names somebody else"
        case Mismatch.RESOURCE:
            why = "which is not this key"
        case Mismatch.CONDITION:
            condition = question_text(statement.conditions[item.index])
            why = f"but never fulfils: {condition}"
        case Mismatch.SOMETHING:
            why = "but is not for this request"
    return f"passed over: {hop.text}, {why}{_place(hop)}"
