"""One access with its proof, for `kms-access can`."""

from __future__ import annotations

from collections.abc import Iterable

from kms_access.decisions.evaluator import Access
from kms_access.decisions.notes import Note
from kms_access.decisions.proof import Proof
from kms_access.decisions.resolution import AccessState
from kms_access.reports.terminal import safe
from kms_access.reports.text import describe_place

ANSWERS = {
    AccessState.ALLOWED: "yes",
    AccessState.CONDITIONAL: "under a condition",
    AccessState.UNDECIDED: "undecided",
    AccessState.DELEGATED: "if identity policies elsewhere allow it",
    AccessState.EXPLICITLY_DENIED: "no, denied explicitly",
    AccessState.IMPLICITLY_DENIED: "no, nothing allows it",
}


def render_access(access: Access, notes: Iterable[Note] = ()) -> str:
    """The answer in one line, then the hops, the condition or what is open, and remarks."""
    subject, key = access.subject, access.key
    question = f"can {subject.label} {access.action} with key {key.label}"
    lines = [f"{ANSWERS[access.state]}: {question}"]
    for number, hop in enumerate(Proof.of(access.decision).hops, 1):
        lines.append(f"  {number} {hop.text}  [{describe_place(hop.origin)}]")
    if access.condition:
        lines.append(f"  if {access.condition}")
        lines.append(f"  for example with {access.example}")
    else:
        lines += [f"  open: {reason.text}" for reason in access.decision.reasons]
    lines += [
        f"  note: {note.policy.label}, {note.problem.place}: {note.problem.message}"
        for note in notes
    ]
    return "\n".join(safe(line) for line in lines) + "\n"
