"""What references, secrets and refs in one document mean: ids and values of other resources."""

from collections.abc import Mapping
from typing import Final

from reconciler.core.desired.address import is_arm_id
from reconciler.core.desired.declared import Declared
from reconciler.core.desired.estate import Estate
from reconciler.core.desired.nearest import did_you_mean
from reconciler.core.desired.problems import Problems
from reconciler.core.desired.validate import Validator
from reconciler.core.model import Json, Path, Ref, Secret, dotted
from reconciler.core.schema import Field, Scalar, required, text

# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
_SECRET_NAME: Final = required(text(pattern=r"^[0-9a-zA-Z-]{1,127}$"))
SECRET_FORMS: Final[Mapping[str, Mapping[str, Field]]] = {
    "keyVault": {
        "keyVault": required(text()),
        "name": _SECRET_NAME,
        "version": text(pattern=r"^[0-9a-fA-F]{32}$"),
    },
    "setting": {"setting": required(text(pattern=r"^[A-Za-z0-9_]{1,100}$"))},
    "keysOf": {
        "keysOf": required(text()),
        "name": required(text(pattern=r"^[A-Za-z0-9]{1,60}$")),
    },
}
ALWAYS: Final[Mapping[str, str]] = {"id": "its ARM id", "name": "its name"}
"""Values that every kind gives."""
_OTHER_IDS: Final = ("azureml:",)
"""Ids of Machine Learning's own, for assets of workspaces and registries."""


class Meaning:
    """Resolves the names in one document, and notes whom it needs."""

    def __init__(self, member: Declared, estate: Estate, problems: Problems) -> None:
        self._member = member
        self._estate = estate
        self._problems = problems
        self._origin = member.document.origin

    def reference(self, text: str, field: Field, path: Path) -> Json:
        """A name where an ARM id is wanted → the id."""
        if text.startswith(_OTHER_IDS):
            return text
        if not field.refers:
            if not is_arm_id(text):
                self._add(path, "must be a full ARM id, which begins with /subscriptions/")
            return text
        assert isinstance(field.shape, Scalar)
        if field.shape.same != "arm_id" and not self._is_name(text, field):
            return text
        noun = str(next(step for step in reversed(path) if isinstance(step, str)))
        found = self._estate.find_or_tell(self._member, text, field.refers, noun, path)
        return text if found is None else found.arm_id

    def name(self, text: str, kinds: tuple[str, ...], path: Path) -> str:
        """A name that stands as a key of a mapping → the id."""
        found = self._estate.find_or_tell(self._member, text, kinds, str(path[-2]), path)
        return text if found is None else found.arm_id

    def sibling(self, text: str, field: Field, path: Path) -> str:
        """A bare name: of a resource below the same parent, which is then needed, or one of the
        service's own, which nothing declares."""
        parent = self._member.parent_id.lower()
        for kind in field.names:
            one = self._estate.child(parent, kind, text)
            if one is not None:
                if one.key != self._member.key:
                    self._member.needs.add(one.key)
                return one.document.name
        near = self._estate.mistyped(text, field.names, parent)
        if near:
            noun = str(next(step for step in reversed(path) if isinstance(step, str)))
            self._add(path, f'{noun} "{text[:80]}" is declared nowhere, did you mean {near}?')
        return text

    def _is_name(self, text: str, field: Field) -> bool:
        """In a field that is no ARM id by itself, only ``Kind/name`` and ids are references."""
        return text.partition("/")[0] in field.refers

    def secret(self, written: Mapping[str, Json], path: Path) -> Secret:
        """``{keyVault, name}``, ``{setting}`` or ``{keysOf, name}`` → the secret's address."""
        path = (*path, "secret")
        form = next((one for one in SECRET_FORMS if one in written), None)
        if form is None:
            hint = next(filter(None, (did_you_mean(one, SECRET_FORMS) for one in written)), "")
            self._add(path, f"must say keyVault and name, or setting{hint}")
            return Secret()
        before = len(self._problems)
        Validator(self._problems, self._origin).fields(dict(written), SECRET_FORMS[form], path)
        if len(self._problems) > before:
            return Secret()
        if form == "setting":
            return Secret(setting=written["setting"])
        if form == "keysOf":
            return Secret(name=written["name"], keys_of=self._target(written, form, (), path))
        vault = self._target(written, form, ("KeyVault",), path)
        self._need_writer(vault, written["name"])
        return Secret(name=written["name"], vault=vault, version=written.get("version", ""))

    def _target(
        self, written: Mapping[str, Json], field: str, kinds: tuple[str, ...], path: Path
    ) -> str:
        where = (*path, field)
        found = self._estate.find_or_tell(self._member, written[field], kinds, field, where)
        return found.arm_id if found else ""

    def _need_writer(self, vault: str, name: str) -> None:
        """A secret that these specs write must be written before it is read."""
        writer = self._estate.child(vault, "Secret", name)
        if writer is not None:
            self._member.needs.add(writer.key)

    def ref(self, written: Mapping[str, Json], path: Path) -> Ref | str:
        """``{ref: Kind/name, path: …}`` → the value's address, or its id where that is known."""
        output = written.get("path")
        if type(output) is not str:
            self._problems.lacks(self._origin, path, f"{dotted(path)}.path is missing or no string")
            return ""
        target = self._estate.find_or_tell(self._member, written["ref"], (), "ref", (*path, "ref"))
        if target is None:
            return ""
        if target.declared is None:
            self._add((*path, "ref"), "must name a resource that is declared, as Kind/name")
            return ""
        return self._value_of(target.declared, output, (*path, "path"))

    def _value_of(self, target: Declared, output: str, path: Path) -> Ref | str:
        if output == "id" and target.arm_id:
            return target.arm_id
        if output == "name" and target.arm_id:
            return target.document.name
        outputs = {**target.document.kind.outputs, **ALWAYS}
        for known in outputs:
            if known.removeprefix("properties.") == output.removeprefix("properties."):
                return Ref(target.key, known)
        short = [known.removeprefix("properties.") for known in outputs]
        hint = did_you_mean(output.removeprefix("properties."), short)
        self._add(path, f"{target.key.kind} gives no {output[:80]}{hint or _list(short)}")
        return ""

    def _add(self, path: Path, message: str) -> None:
        self._problems.add(self._origin, path, f"{dotted(path)} {message}")


def _list(known: list[str]) -> str:
    return f": it gives {', '.join(sorted(known))}"
