"""What parse promises beyond single documents, over small kinds of its own."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from reconciler.core.desired import environments, locate, parse, parse_all
from reconciler.core.desired.address import front, is_arm_id
from reconciler.core.desired.nearest import distance, mistyped, nearest
from reconciler.core.errors import SpecErrors
from reconciler.core.kinds.kind import Document, Kind, Part, Place, Probe
from reconciler.core.model import Properties, Ref, Secret
from reconciler.core.schema import (
    Field,
    anything,
    arm_id,
    array,
    default,
    integer,
    location,
    mapping,
    number,
    obj,
    required,
    secret,
    tags,
    text,
    variant,
    write_only,
)

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"


def environment(name: str = "dev", more: str = "") -> str:
    return (
        f"apiVersion: aigitops/v1\nkind: Environment\nmetadata: {{name: {name}}}\nspec:\n"
        f"  subscription: {SUBSCRIPTION}\n  resourceGroup: rg\n  location: eastus2\n{more}"
    )


def document(kind: str, name: str, spec: str = "{}", more: str = "") -> str:
    return (
        f"apiVersion: aigitops/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n{more}"
    )


def specs(*documents: str, more: str = "") -> dict[str, str]:
    return {
        "specs/environments/dev.yaml": environment(more=more),
        "specs/a.yaml": "---\n".join(documents),
    }


def errors_of(files: dict[str, str], kinds: dict[str, Kind], name: str = "dev") -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        parse(files, name, kinds)
    return [str(error) for error in caught.value.errors]


def small(name: str, *places: Place, **more: Any) -> Kind:
    where = places or (place("resourceGroup", "ResourceGroup", f"Test.Small/{name.lower()}s"),)
    fields: dict[str, Field] = more.pop("fields", {})
    return Kind(name=name, title=name, places=where, fields=fields, **more)


def place(field: str, parent: str, arm_type: str) -> Place:
    return Place(field=field, parent=parent, arm_type=arm_type, api_version="2026-01-01")


def listed(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


BOX = small("Box", outputs={"properties.weight": "how heavy", "identity.principalId": "who"})
VALUES = small(
    "Thing",
    fields={
        "id": arm_id("Box"),
        "users": mapping(obj(), caseless=True, refers=("Box",)),
        "key": secret(),
        "hidden": write_only(anything()),
        "free": anything(),
        "ratio": number(0, 1),
        "count": integer(highest=9),
        "short": text(shortest=2, longest=4),
        "owner": Field(shape=text().shape, refers=("Box",)),
        "auth": variant("type", {"Key": {"key": required(secret())}, "None": {}}, type=text()),
        "zone": text("a", "b", closed=True),
    },
)
THINGS = listed(BOX, VALUES)


def thing(spec: str) -> Properties:
    desired = parse(specs(document("Box", "b"), document("Thing", "t", spec)), "dev", THINGS)
    return next(one for one in desired.resources if one.key.kind == "Thing").properties


def thing_errors(spec: str) -> list[str]:
    files = specs(document("Box", "b"), document("Thing", "t", spec))
    return [error.partition(": ")[2] for error in errors_of(files, THINGS)]


def test_names_become_ids_as_values_and_as_keys() -> None:
    box = f"{GROUP}/providers/Test.Small/boxs/b"
    found = thing(f"{{id: B, users: {{b: {{}}, /subscriptions/x: {{}}}}, owner: {box[:0]}me}}")
    assert found == {"id": box, "users": {box: {}, "/subscriptions/x": {}}, "owner": "me"}
    assert thing("{owner: Box/b}") == {"owner": box}
    assert thing("{id: 'azureml:thing:1'}") == {"id": "azureml:thing:1"}


def test_secrets_stand_anywhere_inside_what_azure_never_returns() -> None:
    found = thing("{hidden: {deep: [{secret: {setting: A}}]}, key: {secret: {setting: B}}}")
    assert found == {"hidden": {"deep": [Secret(setting="A")]}, "key": Secret(setting="B")}
    assert thing("{free: {secret: {other: 1}}}") == {"free": {"secret": {"other": 1}}}
    assert "no secret to Azure" in thing_errors("{free: [{secret: {setting: A}}]}")[0]


def test_a_ref_stands_wherever_one_value_is_wanted() -> None:
    found = thing("{count: {ref: Box/b, path: weight}, free: [{ref: Box/b, path: name}]}")
    ref = found["count"]
    assert isinstance(ref, Ref)
    assert (str(ref.key), ref.path) == ("Box/b", "properties.weight")
    assert found["free"] == ["b"]
    assert thing_errors("{count: {ref: Box/b, path: colour}}") == [
        "spec.count.path Box gives no colour: it gives id, identity.principalId, name, weight"
    ]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{ratio: 2}", "spec.ratio must be at most 1, not 2"),
        ("{count: 10}", "spec.count must be at most 9, not 10"),
        ("{count: 1.5}", "spec.count must be a whole number, not a number"),
        ("{short: a}", "spec.short must have at least 2 characters, not 1"),
        ("{short: abcde}", "spec.short must have at most 4 characters, not 5"),
        ("{auth: {type: Key}}", "spec.auth.key is missing"),
        ("{auth: {type: None, key: x}}", "spec.auth.key is not a known field"),
        ("{auth: []}", "spec.auth must be a mapping, not a list"),
        ("{users: []}", "spec.users must be a mapping, not a list"),
        ("{users: {c: {}}}", 'users "c" is declared nowhere, did you mean "b" (specs/a.yaml:1)?'),
        ("{id: Thing/t}", 'id "Thing/t": a Box is wanted here'),
        ("{free: {ref: 1, path: x}}", "ref must be a name, Kind/name or an ARM id"),
        ("{zone: c}", 'spec.zone cannot be "c", did you mean "a"?'),
    ],
)
def test_a_value_that_does_not_fit_is_told(spec: str, message: str) -> None:
    assert thing_errors(spec) == [message]


def test_a_case_nobody_knows_may_have_any_field() -> None:
    assert thing("{auth: {type: Passkey, shape: {of: it}}}")["auth"]["shape"] == {"of": "it"}
    assert thing("{auth: {type: none}}") == {"auth": {"type": "none"}}


def test_resources_live_where_their_places_say() -> None:
    shelf = small("Shelf", place("", "", "Test.Small/shelves"))
    slot = small(
        "Slot", place("box", "Box", "Test.Small/boxs/slots"), place("above", "", "Test.Small/slots")
    )
    part = small("Version", place("box", "Box", "Test.Small/boxs/parts/versions"))
    files = specs(
        document("Box", "b"),
        document("Shelf", "s"),
        document("Slot", "one", "{box: b}"),
        document("Slot", "two", "{above: Shelf/s}"),
        document("Version", "'p:7'", "{box: b}"),
    )
    desired = parse(files, "dev", listed(BOX, shelf, slot, part))
    box = f"{GROUP}/providers/Test.Small/boxs/b"
    top = f"/subscriptions/{SUBSCRIPTION}/providers/Test.Small/shelves/s"
    assert {str(one.key): one.arm_id for one in desired.resources} == {
        "Box/b": box,
        "Shelf/s": top,
        "Slot/b/one": f"{box}/slots/one",
        "Slot/s/two": f"{top}/providers/Test.Small/slots/two",
        "Version/b/p:7": f"{box}/parts/p/versions/7",
    }
    message = errors_of(specs(document("Version", "p", "{box: b}")), listed(BOX, part))[0]
    assert message.endswith('box "b" is declared nowhere')
    files = specs(document("Box", "b"), document("Version", "p", "{box: b}"))
    assert '"p" must be 2 names with ":" between' in errors_of(files, listed(BOX, part))[0]


def test_a_location_that_a_kind_fixes_wins_over_the_environment() -> None:
    fixed = small("Fixed", fields={"location": default("global", location())})
    loose = small("Loose", fields={"location": location()})
    desired = parse(
        specs(document("Fixed", "f"), document("Loose", "l")), "dev", listed(fixed, loose)
    )
    assert [one.properties["location"] for one in desired.resources] == ["global", "eastus2"]


def part_of(document: Document) -> Document:
    wanted = document["spec"]["box"]
    if wanted["size"] > 3:
        raise ValueError("box.size must fit")
    return {"kind": wanted["kind"], "metadata": {"name": "made"}, "spec": {"size": wanted["size"]}}


def with_parts(*, first: bool) -> dict[str, Kind]:
    shape = obj(size=required(integer()), kind=text())
    part = Part(field="box", shape=shape, make=part_of, first=first)
    return listed(small("Box", fields={"size": integer(highest=2)}), small("Owner", parts=(part,)))


@pytest.mark.parametrize(("first", "needy"), [(True, "Owner/o"), (False, "Box/made")])
def test_a_part_comes_before_or_after_its_owner(first: bool, needy: str) -> None:
    files = specs(document("Owner", "o", "{box: {size: 1, kind: Box}}"))
    desired = parse(files, "dev", with_parts(first=first))
    assert {str(one.key) for one in desired.resources} == {"Owner/o", "Box/made"}
    assert [str(one.key) for one in desired.resources if one.needs] == [needy]


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ("{size: 9, kind: Box}", "specs/a.yaml:4:13: box.size must fit"),
        ("{size: x, kind: Box}", "specs/a.yaml:4:20: spec.box.size must be a whole number"),
        ("{size: 3, kind: Box}", "specs/a.yaml:4:13: spec.size must be at most 2, not 3"),
        ("{size: 1, kind: Bax}", 'specs/a.yaml:4:13: there is no kind "Bax", did you mean "Box"?'),
    ],
)
def test_what_is_wrong_in_a_part_is_told_at_the_field_it_was_made_from(
    box: str, message: str
) -> None:
    told = errors_of(specs(document("Owner", "o", f"{{box: {box}}}")), with_parts(first=True))
    assert len(told) == 1
    assert told[0].startswith(message)


def test_prepare_sees_what_was_written_and_may_refuse_it() -> None:
    def prepare(properties: Properties, subscription: str) -> Properties:
        if properties.get("size") == 0:
            raise ValueError("an empty box is no box")
        return {**properties, "id": f"{subscription}/{properties.get('size')}"}

    kinds = listed(
        small("Box", fields={"size": integer(), "to": arm_id("Box"), "id": text()}, prepare=prepare)
    )
    made = parse(specs(document("Box", "b", "{size: 3}")), "dev", kinds).resources[0]
    assert made.properties == {"size": 3, "id": f"{SUBSCRIPTION}/3"}
    told = errors_of(
        specs(document("Box", "b", "{size: 0}"), document("Box", "c", "{size: x}")), kinds
    )
    assert told == [
        "specs/a.yaml:4:1: an empty box is no box",
        "specs/a.yaml:9:14: spec.size must be a whole number, not a string",
    ]


def test_lifecycle_and_smoke_test_are_carried_over() -> None:
    kind = small("Box", probe=Probe(url="x"), fields={"items": array(obj(name=text()))})
    more = (
        "lifecycle: {deletion: delete, protect: true, softDeleted: purge,"
        " ignore: ['spec.items[0].name']}\n"
        "verify: {request: {n: 1}, expect: {status: 201, path: a.b}, timeoutSeconds: 5}\n"
    )
    one = parse(specs(document("Box", "b", "{}", more)), "dev", listed(kind)).resources[0]
    assert (one.lifecycle.deletion, one.lifecycle.protect) == ("delete", True)
    assert (one.lifecycle.ignore, one.lifecycle.soft_deleted) == ((("items", 0, "name"),), "purge")
    assert one.verify is not None
    assert (one.verify.request, one.verify.status) == ({"n": 1}, 201)
    assert (one.verify.path, one.verify.timeout_s) == ("a.b", 5.0)


def test_an_environment_says_all_it_knows() -> None:
    more = (
        "  include: [a.yaml]\n  values: {n: 1}\n  tags: {t: x}\n  prune: true\n"
        "  selfHeal: report\n  apply: onCommand\n  policy: {approvals: 3}\n"
        "  windows: [{from: 'x'}]\n"
        "  suspend: {until: '2026-12-24T18:00:00+02:00', reason: holidays}\n"
        "  patches: [{kind: Box, name: b, enabled: false}]\n"
    )
    one = environments({"specs/environments/dev.yaml": environment(more=more), "specs/x.yaml": "}"})
    (dev,) = one
    assert (dev.name, dev.subscription, dev.resource_group) == ("dev", SUBSCRIPTION, "rg")
    assert (dev.location, dev.include, dev.values) == ("eastus2", ("a.yaml",), {"n": 1})
    assert (dev.tags, dev.prune, dev.self_heal) == ({"t": "x"}, True, "report")
    assert (dev.policy, dev.windows, dev.apply) == ({"approvals": 3}, ({"from": "x"},), "onCommand")
    assert dev.patches == ({"kind": "Box", "name": "b", "enabled": False},)
    assert dev.suspend is not None
    assert dev.suspend.until == datetime(2026, 12, 24, 16, tzinfo=UTC)
    assert dev.suspend.reason == "holidays"
    assert dev.source == "specs/environments/dev.yaml:1"


@pytest.mark.parametrize("until", ["2026-12-24", "0001-01-01T00:00:00+23:00", "soon"])
def test_a_suspension_needs_an_instant(until: str) -> None:
    files = {"specs/environments/dev.yaml": environment(more=f"  suspend: {{until: '{until}'}}\n")}
    with pytest.raises(SpecErrors, match=r"dev\.yaml:8:20: spec\.suspend\.until must be like"):
        environments(files)


def test_a_suspension_without_an_end_lasts() -> None:
    (dev,) = environments(
        {"specs/environments/dev.yaml": environment(more="  suspend: {reason: x}\n")}
    )
    assert dev.suspend is not None
    assert dev.suspend.until is None


def test_every_environment_is_parsed_and_a_shared_error_is_told_once() -> None:
    files = {
        "specs/environments/dev.yaml": environment("dev", "  values: {size: 1}\n"),
        "specs/environments/prod.yaml": environment("prod", "  values: {sise: 2}\n"),
        "specs/a.yaml": document("Box", "b", "{size: '${size}', weight: 1}"),
    }
    kinds = listed(small("Box", fields={"size": integer()}))
    with pytest.raises(SpecErrors) as caught:
        parse_all(files, kinds)
    assert [str(error) for error in caught.value.errors] == [
        'specs/a.yaml:4:14: ${size} has no value here, did you mean "sise"? '
        "($${ writes the characters themselves)",
        "specs/a.yaml:4:14: spec.size must be a whole number, not a string",
        "specs/a.yaml:4:25: spec.weight is not a known field",
    ]
    good = {
        path: text.replace("sise", "size").replace(", weight: 1", "")
        for path, text in files.items()
    }
    several = parse_all(good, kinds)
    assert [one.environment.name for one in several] == ["dev", "prod"]
    assert [one.resources[0].properties["size"] for one in several] == [1, 2]


def test_specs_without_environments_say_what_to_write() -> None:
    for files in ({}, {"specs/a.yaml": document("Box", "b")}):
        with pytest.raises(SpecErrors, match="no environment is declared: write one, such as"):
            parse(files, "dev")
        with pytest.raises(SpecErrors, match="no environment is declared"):
            parse_all(files)
    assert errors_of({"specs/environments/a.yaml": environment("a")}, {}, "production") == [
        'environment "production" is declared nowhere: there is a'
    ]


def test_specs_may_lie_deeper_and_other_files_are_not_read() -> None:
    files = {
        "infra/specs/environments/dev.yaml": environment(more="  include: [boxes]\n"),
        "infra/specs/boxes/a.yml": document("Box", "b"),
        "infra/specs/boxes/README.md": "no: [yaml",
    }
    (one,) = parse(files, "dev", listed(BOX)).resources
    assert one.source == "infra/specs/boxes/a.yml:1"


def test_a_patch_must_mean_one_document() -> None:
    slot = small("Slot", place("box", "Box", "Test.Small/boxs/slots"), fields={"n": integer()})
    documents = [document("Box", one) for one in "bc"]
    documents += [document("Slot", "s", f"{{box: {one}}}") for one in "bc"]
    patch = "  patches: [{kind: Slot, name: NAME, spec: {n: 1}}]\n"
    files = specs(*documents, more=patch.replace("NAME", "s"))
    assert errors_of(files, listed(BOX, slot)) == [
        "specs/environments/dev.yaml:8:32: Slot/s is several documents: "
        "specs/a.yaml:11, specs/a.yaml:16; write parent/name"
    ]
    files = specs(*documents, more=patch.replace("NAME", "c/s"))
    found = {str(o.key): o.properties for o in parse(files, "dev", listed(BOX, slot)).resources}
    assert (found["Slot/b/s"], found["Slot/c/s"]) == ({}, {"n": 1})


def test_tags_that_are_no_mapping_are_told_and_not_merged() -> None:
    kinds = listed(small("Box", fields={"tags": tags()}))
    files = specs(document("Box", "b", "{tags: [x]}"), more="  tags: {t: x}\n")
    assert errors_of(files, kinds) == ["specs/a.yaml:4:14: spec.tags must be a mapping, not a list"]


def test_at_most_five_hundred_errors_are_told() -> None:
    files = specs(document("Box", "b", "{" + ", ".join(f"f{n}: 1" for n in range(2000)) + "}"))
    told = errors_of(files, listed(BOX))
    assert len(told) == 501
    assert told[-1] == "and more: the first 500 errors are shown"


def test_a_name_that_follows_from_content_leaves_the_id_open_and_keeps_the_scope() -> None:
    grant = small(
        "Grant",
        place("scope", "", "Test.Small/grants"),
        fields={"who": text()},
        identity=("scope", "who"),
    )
    made = parse(
        specs(document("Box", "b"), document("Grant", "g", "{scope: Box/b, who: me}")),
        "dev",
        listed(BOX, grant),
    )
    (one,) = (one for one in made.resources if one.key.kind == "Grant")
    box = f"{GROUP}/providers/Test.Small/boxs/b"
    assert (str(one.key), one.arm_id) == ("Grant/g", "")
    assert one.properties == {"scope": box, "who": "me"}


def test_a_bare_name_means_a_resource_below_the_same_parent() -> None:
    slot = small("Slot", place("box", "Box", "Test.Small/boxs/slots"))
    fields = {"slot": Field(shape=text().shape, names=("Slot", "User"))}
    user = small("User", place("box", "Box", "Test.Small/boxs/users"), fields=fields)
    kinds = listed(BOX, slot, user)
    base = [document("Box", "b"), document("Box", "c"), document("Slot", "Middle", "{box: b}")]

    def made(name: str, spec: str) -> tuple[Properties, list[str]]:
        desired = parse(specs(*base, document("User", name, spec)), "dev", kinds)
        one = next(one for one in desired.resources if one.key.kind == "User")
        return one.properties, sorted(str(key) for key in one.needs)

    assert made("u", "{box: b, slot: middle}") == ({"slot": "Middle"}, ["Box/b", "Slot/b/Middle"])
    assert made("u", "{box: c, slot: middle}") == ({"slot": "middle"}, ["Box/c"])
    assert made("u", "{box: b, slot: Azure.Own}") == ({"slot": "Azure.Own"}, ["Box/b"])
    assert made("self", "{box: b, slot: self}") == ({"slot": "self"}, ["Box/b"])
    told = errors_of(specs(*base, document("User", "u", "{box: b, slot: Midle}")), kinds)
    assert told[0].endswith(
        'slot "Midle" is declared nowhere, did you mean "Middle" (specs/a.yaml:11)?'
    )


@pytest.mark.parametrize(
    ("written", "good"),
    [
        ("/subscriptions/s", True),
        ("/subscriptions/s/resourceGroups/g", True),
        ("/subscriptions/s/resourcegroups/g/providers/A.B/c/d/e/f", True),
        ("/providers/Microsoft.Management/managementGroups/g", True),
        ("/subscriptions/s/providers/A.B/c/d/providers/E.F/g/h", True),
        ("/subscriptions/s/resourceGroups/../providers/A.B/c/d", False),
        ("/subscriptions/s/providers/A.B/c", False),
        ("/subscriptions/s?x=y", False),
        ("/subscriptions/s/", False),
        ("//subscriptions/s", False),
        ("/", False),
        ("/subscriptions/" + "x" * 3000, False),
    ],
)
def test_an_arm_id_has_a_form(written: str, good: bool) -> None:
    assert is_arm_id(written) is good


@pytest.mark.parametrize("name", ["..", " a", "a/b", "a?b", "a%2fb", "a\tb", ""])
def test_a_name_that_would_leave_its_place_in_an_id_is_refused(name: str) -> None:
    told = errors_of(specs(document("Box", f'"{name}"')), listed(BOX))
    assert told[0].startswith("specs/a.yaml:3:18: Azure takes no Box named")


def test_keys_say_another_group_or_subscription() -> None:
    here, there = SUBSCRIPTION, "00000000-0000-0000-0000-000000000002"
    parents = {
        f"/subscriptions/{here}/resourceGroups/RG": (),
        f"/subscriptions/{here}/resourceGroups/other": ("other",),
        f"/subscriptions/{there}/resourceGroups/rg": (there, "rg"),
        f"/subscriptions/{here}": (),
        f"/subscriptions/{there}": (there,),
        f"/subscriptions/{here}/resourceGroups/rg/providers/A.B/c/d": ("d",),
    }
    assert {parent: front(parent, here, "rg") for parent in parents} == parents


def test_one_of_many_of_a_name_is_found_by_its_parent_or_id() -> None:
    slot = small("Slot", place("box", "Box", "Test.Small/boxs/slots"))
    user = small("User", fields={"slot": arm_id("Slot")})
    boxes = [document("Box", f"b{n}") for n in range(9)]
    slots = [document("Slot", "s", f"{{box: b{n}}}") for n in range(9)]
    by_id = f"{GROUP}/providers/Test.Small/boxs/b4/slots/S"
    users = [
        document("User", name, f"{{slot: {slot_name}}}")
        for name, slot_name in (("u1", "B7/s"), ("u2", "Slot/b8/s"), ("u3", by_id))
    ]
    kinds = listed(BOX, slot, user)
    desired = parse(specs(*boxes, *slots, *users), "dev", kinds)
    needs = {str(one.key): [str(key) for key in one.needs] for one in desired.resources}
    assert needs["User/u1"] == ["Slot/b7/s"]
    assert needs["User/u2"] == ["Slot/b8/s"]
    assert needs["User/u3"] == ["Slot/b4/s"]
    told = errors_of(specs(*boxes, *slots, document("User", "u", "{slot: s}")), kinds)
    assert told[0].endswith("Slot/b4/s (specs/a.yaml:66) or another one: say which, as parent/name")
    told = errors_of(specs(*boxes, *slots, document("User", "u", "{slot: b9/s}")), kinds)
    assert 'slot "b9/s" is declared nowhere' in told[0]


def test_resources_inside_one_another_without_end_are_refused() -> None:
    inner = small("Nest", place("above", "", "Test.Small/nests"))
    root = document("Nest", "n0", f"{{above: {GROUP}}}")
    chain = [document("Nest", f"n{n}", f"{{above: Nest/n{n - 1}}}") for n in range(30, 0, -1)]
    assert "nested deeper than 16 levels" in errors_of(specs(*chain, root), listed(inner))[0]
    ring = [document("Nest", one, f"{{above: Nest/{other}}}") for one, other in ("ab", "ba")]
    assert "each needs the next: Nest/" in errors_of(specs(*ring), listed(inner))[0]


def test_the_search_for_what_was_meant_ends() -> None:
    slot = small("Slot", place("box", "Box", "Test.Small/boxs/slots"))
    boxes = [document("Box", f"box-{n}") for n in range(4000)]
    slots = [document("Slot", f"s{n}", "{box: bax-1}") for n in range(60)]
    told = errors_of(specs(*boxes, *slots), listed(BOX, slot))
    hints = [error for error in told if "did you mean" in error]
    assert (len(told), len(hints)) == (60, 50)


def test_parts_count_as_resources() -> None:
    shape = array(obj(n=required(text())))

    def make(owner: Document) -> Document:
        return {"kind": "Box", "metadata": {"name": owner["spec"]["all"]["n"]}, "spec": {}}

    many = small("Many", parts=(Part(field="all", shape=shape, make=make, each=True),))
    items = ", ".join(f"{{n: a{n}}}" for n in range(20_001))
    told = errors_of(specs(document("Many", "m", f"{{all: [{items}]}}")), listed(BOX, many))
    assert told == ["specs/a.yaml:4:7: there are more than 20,000 resources"]


def test_a_field_is_found_in_its_file() -> None:
    files = {
        "specs/a.yaml": "# one\na: 1\n---\n# two\nkind: X\n"
        "spec:\n  sku: {capacity: 3}\n  l: [1, {x: 2}]\n"
    }
    source = "specs/a.yaml:5"
    assert locate(files, source) == "specs/a.yaml:5:1"
    assert locate(files, source, "spec.sku.capacity") == "specs/a.yaml:7:9"
    assert locate(files, source, ("spec", "l", 1, "x")) == "specs/a.yaml:8:11"
    assert locate(files, source, "spec.sku.name") == "specs/a.yaml:7:3"
    assert locate(files, source, "spec.sku.capacity.more") == "specs/a.yaml:7:9"
    assert locate(files, source, ("spec", "l", 7)) == "specs/a.yaml:8:3"
    assert locate(files, "specs/a.yaml:4", "spec") == "specs/a.yaml:4:1"
    assert locate(files, "specs/b.yaml:4", "spec") == "specs/b.yaml:4:1"
    assert locate({"a.yaml": "a: [\n"}, "a.yaml:1", "a") == "a.yaml:1:1"
    assert locate(files, "") == ""


def test_the_nearest_word_is_a_few_letters_away() -> None:
    assert nearest("contoso-ia", ["contoso-ai", "fabrikam"]) == "contoso-ai"
    assert nearest("OPENAI", ["OpenAI"]) == "OpenAI"
    assert nearest("nothing", ["like", "it"]) is None
    assert nearest("x" * 100, ["x" * 99]) is None
    assert distance("abcd", "abdc", 3) == 1
    assert distance("", "abc", 3) == 3


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Standrad", "Standard"),
        ("standard", None),
        ("S1", None),
        ("gpt-5", None),
        ("Premium", None),
        ("GlobalStandrd", "GlobalStandard"),
    ],
)
def test_a_new_value_is_no_slip(word: str, meant: str | None) -> None:
    assert mistyped(word, ["Standard", "GlobalStandard", "S0", "gpt-4"]) == meant


def test_instants_of_any_zone_become_utc() -> None:
    zone = timezone(timedelta(hours=-8))
    moment = datetime(2026, 1, 2, 3, tzinfo=zone).isoformat()
    (dev,) = environments(
        {"specs/environments/d.yaml": environment(more=f"  suspend: {{until: '{moment}'}}\n")}
    )
    assert dev.suspend is not None
    assert dev.suspend.until == datetime(2026, 1, 2, 11, tzinfo=UTC)
