"""What stands behind a finding beyond its own words: a request that succeeds."""

from __future__ import annotations

from kms_access.rules.assessment import Assessment
from kms_access.rules.findings import Finding


class Examples:
    """Requests that show a conditional access, from the access map of the assessment."""

    def __init__(self, assessment: Assessment) -> None:
        facts = assessment.access_map
        self._evaluator = facts.evaluator
        self._subjects = {subject.identity: subject for subject in facts.subjects}
        self._keys = {key.origin.identity: key for key in facts.keys}

    def of(self, finding: Finding) -> str:
        """The keys of one request that succeeds, in words; empty where nothing hangs on them.

        That is the finding's own example, if it has one. A finding may be about other access than
        the map's (a detour, a default value of a parameter): only an example of the very condition
        that the finding names is given.
        """
        if finding.example:
            return finding.example
        subject = self._subjects.get(finding.principal_identity)
        key = self._keys.get(finding.key_origin.identity) if finding.key_origin else None
        if subject is None or key is None or not finding.when.startswith("if "):
            return ""
        for action in finding.actions:
            access = self._evaluator.access(subject, key, action)
            if access.condition and f"if {access.condition}" in finding.when:
                return f"{action} with {access.example}"
        return ""
