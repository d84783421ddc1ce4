"""Access facts as a JSON file: a saved access map, which is what a baseline is.

Version 1; `access-map.schema.json` beside this module describes it. A later version may add fields,
and a reader of an older one refuses it by its number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeAlias, TypeVar

from kms_access.decisions.access_facts import AccessFacts, Held, Named, Place
from kms_access.decisions.proof import Hop
from kms_access.decisions.resolution import AccessState
from kms_access.decisions.terms import (
    Asked,
    Every,
    Some,
    Term,
    Unless,
    Unsettled,
    asked_of,
    every,
    some,
)
from kms_access.inventory.actions import find_action
from kms_access.inventory.input_error import InputError
from kms_access.inventory.origin import Origin
from kms_access.policies.answers import ReasonKind
from kms_access.policies.json_text import JsonError, JsonObject, Number, position_of, read_json

FORMAT, VERSION = "kms-access map", 1
_MAXIMUM_CHARACTERS = 256 << 20
_STATES = {state.value: state for state in AccessState if not state.is_denied}
_KINDS = {kind.value: kind for kind in ReasonKind}
_Path: TypeAlias = tuple[str | int, ...]
_Meant = TypeVar("_Meant")


def saved(facts: AccessFacts, *, proofs: bool = False) -> str:
    """The facts as JSON text, sorted; with `proofs` each with the hops that give it."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "keys": [_of_named(facts.keys[name]) for name in sorted(facts.keys)],
        "principals": [_of_named(facts.principals[name]) for name in sorted(facts.principals)],
        "access": _entries(facts, proofs=proofs),
        "not evaluated": sorted(facts.not_evaluated),
    }
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def _of_named(named: Named) -> dict[str, Any]:
    fields = {"identity": named.identity, "label": named.label, "names": list(named.names)}
    return {**fields, "session of": named.role} if named.role else fields


def _entries(facts: AccessFacts, *, proofs: bool) -> list[dict[str, Any]]:
    groups: dict[tuple[str, ...], tuple[Place, dict[str, Any], list[str]]] = {}
    for place in sorted(facts.held, key=lambda p: (p.key, p.principal, p.way, p.action)):
        held = facts.held[place]
        entry: dict[str, Any] = {"state": held.state.value, "condition": _of_term(held.term)}
        if proofs:
            entry["proof"] = [_of_hop(hop) for hop in facts.prove(place)]
        group = (place.key, place.principal, place.way, json.dumps(entry, sort_keys=True))
        groups.setdefault(group, (place, entry, []))[2].append(place.action)
    return [
        {"key": p.key, "principal": p.principal, "way": p.way, "actions": actions, **entry}
        for p, entry, actions in groups.values()
    ]


def _of_hop(hop: Hop) -> dict[str, str]:
    return {
        "text": hop.text,
        "identity": hop.definition.identity,
        "label": hop.definition.label,
        "stack": hop.definition.container,
    }


def _of_term(term: Term) -> Any:
    match term:
        case Asked(_, operator, values):
            return {"key": term.shown, "operator": operator, "values": sorted(values)}
        case Unsettled(kind, text):
            return {"open": kind.value, "text": text}
        case Every(parts):
            return {"all": _sorted(parts)} if parts else True
        case Some(parts):
            return {"any": _sorted(parts)}
        case Unless(part):
            return {"not": _of_term(part)}


def _sorted(parts: Iterable[Term]) -> list[Any]:
    return sorted(map(_of_term, parts), key=lambda part: json.dumps(part, sort_keys=True))


def is_saved_map(path: Path) -> bool:
    """Whether a file says that it is a saved map; no other check, and no error."""
    try:
        with path.open(encoding="utf-8") as file:
            start = file.read(1_000)
    except (OSError, UnicodeDecodeError):
        return False
    return f'"{FORMAT}"' in start and start.lstrip().startswith("{")


def load_saved_map(path: Path) -> AccessFacts:
    """The facts of a file that `saved` wrote.

    Raises `InputError`, with file, line and column, for a file that cannot be read and for
    everything that is not as described.
    """
    shown = path.as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot be read: {reason}", shown, help=_HELP) from None
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8: byte {error.start}", shown, help=_HELP) from None
    try:
        document = read_json(text, maximum_characters=_MAXIMUM_CHARACTERS)
    except JsonError as error:
        place = error.position
        raise InputError(error.message, shown, place.line, place.column, help=_HELP) from None
    return _Reader(shown, text).facts(document)


_HELP = "write it again with kms-access map --output FILE"
_NAMED = ("identity", "label", "names")
_ENTRY = ("key", "principal", "way", "actions", "state", "condition")
_TOP = ("format", "version", "keys", "principals", "access", "not evaluated")
_TERM_FIELDS = (("key", "operator", "values"), ("open", "text"), ("all",), ("any",), ("not",))


class _Reader:
    """Reads one document; every error names the place."""

    def __init__(self, file: str, text: str) -> None:
        self._file, self._text = file, text

    def facts(self, document: Any) -> AccessFacts:
        found = self._object(document, (), _TOP[:2], others=True)
        if found["format"] != FORMAT:
            self._fail(("format",), f'the format is not "{FORMAT}"')
        version = found["version"]
        if not isinstance(version, Number) or version != str(VERSION):
            self._fail(("version",), f"the version is not {VERSION}")
        found = self._object(document, (), _TOP)
        keys = self._named(found["keys"], "keys")
        principals = self._named(found["principals"], "principals")
        held: dict[Place, Held] = {}
        proofs: dict[Place, tuple[Hop, ...]] = {}
        for index, entry in enumerate(self._list(found["access"], ("access",))):
            self._entry(entry, ("access", index), (keys, principals), held, proofs)
        left = self._texts(found["not evaluated"], ("not evaluated",))
        return AccessFacts(principals, keys, held, left, lambda place: proofs.get(place, ()))

    def _entry(
        self,
        node: Any,
        path: _Path,
        known: tuple[Mapping[str, Named], Mapping[str, Named]],
        held: dict[Place, Held],
        proofs: dict[Place, tuple[Hop, ...]],
    ) -> None:
        entry = self._object(node, path, _ENTRY, optional=("proof",))
        texts = {name: self._word(entry[name], (*path, name)) for name in _ENTRY[:3]}
        for name, names in zip(_ENTRY[:2], known, strict=True):
            if texts[name] not in names:
                self._fail((*path, name), f'"{texts[name]}" is not among the {name}s of the file')
        state = self._one_of(entry["state"], (*path, "state"), _STATES)
        given = Held(state, self._term(entry["condition"], (*path, "condition")))
        hops = tuple(
            self._hop(hop, (*path, "proof", index))
            for index, hop in enumerate(self._list(entry.get("proof", []), (*path, "proof")))
        )
        actions = self._texts(entry["actions"], (*path, "actions"))
        for index, action in enumerate(actions):
            info = find_action(action)
            place = Place(texts["principal"], texts["key"], texts["way"], action)
            if info is None or info.name != action:
                self._fail((*path, "actions", index), f'"{action}" is no KMS action')
            if place in held:
                self._fail((*path, "actions", index), f'"{action}" stands there twice')
            held[place], proofs[place] = given, hops

    def _named(self, node: Any, what: str) -> dict[str, Named]:
        found: dict[str, Named] = {}
        for index, item in enumerate(self._list(node, (what,))):
            path = (what, index)
            fields = self._object(item, path, _NAMED, optional=("session of",))
            named = Named(
                self._word(fields["identity"], (*path, "identity")),
                self._word(fields["label"], (*path, "label")),
                self._texts(fields["names"], (*path, "names")),
                self._word(fields.get("session of", ""), (*path, "session of")),
            )
            if named.identity in found:
                self._fail((*path, "identity"), f'"{named.identity}" stands there twice')
            found[named.identity] = named
        return found

    def _hop(self, node: Any, path: _Path) -> Hop:
        names = ("text", "identity", "label", "stack")
        fields = self._object(node, path, names)
        text, identity, label, stack = (self._word(fields[n], (*path, n)) for n in names)
        return Hop(text, Origin(identity, label, stack))

    def _term(self, node: Any, path: _Path) -> Term:
        if node is True:
            return Every(frozenset())
        form = next(
            (form for form in _TERM_FIELDS if isinstance(node, dict) and form[0] in node), ()
        )
        if not form:
            self._fail(path, 'no condition, accepted are true, "key", "open", "all", "any", "not"')
        fields = self._object(node, path, form)
        inner = (*path, form[0])
        match form[0]:
            case "key":
                key, operator = (self._word(fields[n], (*path, n)) for n in form[:2])
                return asked_of(key, operator, self._texts(fields["values"], (*path, "values")))
            case "open":
                kind = self._one_of(fields["open"], inner, _KINDS)
                return Unsettled(kind, self._word(fields["text"], (*path, "text")))
            case "not":
                return Unless(self._term(fields["not"], inner))
        parts = self._list(fields[form[0]], inner)
        if not parts:
            self._fail(inner, "no condition is in the list")
        terms = [self._term(part, (*inner, index)) for index, part in enumerate(parts)]
        return every(terms) if form[0] == "all" else some(terms)

    def _object(
        self,
        node: Any,
        path: _Path,
        fields: tuple[str, ...],
        optional: tuple[str, ...] = (),
        *,
        others: bool = False,
    ) -> dict[str, Any]:
        if not isinstance(node, dict):
            self._fail(path, f"an object with {', '.join(fields)} is expected")
        if isinstance(node, JsonObject) and node.duplicates:
            self._fail(path, f'the field "{node.duplicates[0]}" stands there twice')
        for name in fields:
            if name not in node:
                self._fail(path, f'the field "{name}" is missing')
        for name in node:
            if not others and name not in (*fields, *optional):
                accepted = ", ".join((*fields, *optional))
                self._fail((*path, name), f'unknown field "{name}", accepted are {accepted}')
        return node

    def _list(self, node: Any, path: _Path) -> list[Any]:
        if not isinstance(node, list):
            self._fail(path, "a list is expected")
        return node

    def _texts(self, node: Any, path: _Path) -> tuple[str, ...]:
        items = self._list(node, path)
        return tuple(self._word(item, (*path, index)) for index, item in enumerate(items))

    def _word(self, node: Any, path: _Path) -> str:
        if not isinstance(node, str) or isinstance(node, Number):
            self._fail(path, "text is expected")
        return node

    def _one_of(self, node: Any, path: _Path, accepted: Mapping[str, _Meant]) -> _Meant:
        word = self._word(node, path)
        if word not in accepted:
            names = ", ".join(f'"{name}"' for name in accepted)
            self._fail(path, f'"{word}" is not known, accepted are {names}')
        return accepted[word]

    def _fail(self, path: _Path, message: str) -> NoReturn:
        position = position_of(self._text.removeprefix("\ufeff"), path)
        line, column = (position.line, position.column) if position else (None, None)
        raise InputError(message, self._file, line, column, help=_HELP)
