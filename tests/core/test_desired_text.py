"""Hostile and surprising YAML: every text ends as values or as errors with their places."""

from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.desired import parse
from reconciler.core.desired.plain import Surprise, plain
from reconciler.core.desired.yaml_text import (
    MAX_DEPTH,
    MAX_DOCUMENTS,
    MAX_FILE_BYTES,
    MAX_NODES,
    Budget,
    read_text,
)
from reconciler.core.errors import SpecErrors


def read(text: str, budget: Budget | None = None) -> tuple[list[Any], list[str]]:
    texts, errors, _ = read_text("a.yaml", text, budget or Budget())
    return [one.value for one in texts], [str(error) for error in errors]


def lines(text: str) -> list[int]:
    return [one.line for one in read_text("a.yaml", text, Budget())[0]]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("False", False),
        ("~", None),
        ("0", 0),
        ("-12", -12),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-", "-"),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("gpt-4.1", "gpt-4.1"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("y", "y"),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_plain_scalar_means_what_every_reader_takes_it_for(written: str, value: Any) -> None:
    assert plain(written) == value
    assert type(plain(written)) is type(value)


@pytest.mark.parametrize(
    "written",
    [
        "yes",
        "No",
        "ON",
        "off",
        "010",
        "0x1F",
        "0o17",
        "0b11",
        "1_000",
        "1e3",
        "12:30",
        "2025-04-14",
        "2025-04-14T00:00:00Z",
        ".inf",
        "-.INF",
        ".nan",
        "9223372036854775808",
        "1" * 5000,
        "1" * 400 + ".0",
        "<<",
    ],
)
def test_a_plain_scalar_that_readers_disagree_on_must_be_quoted(written: str) -> None:
    refusal = plain(written)
    assert isinstance(refusal, Surprise)
    assert len(refusal.message) < 200
    assert read(f'a: "{written}"') == ([{"a": written}], [])


@given(st.from_regex(r"[-+0-9._eExob:T]{1,12}", fullmatch=True))
def test_what_is_accepted_without_quotes_is_what_yaml_1_1_reads_too(written: str) -> None:
    value = plain(written)
    if isinstance(value, int | float):
        assert yaml.safe_load(written) == value
    elif isinstance(value, str):
        resolver: Any = yaml.resolver.Resolver()
        tag = resolver.resolve(yaml.ScalarNode, written, (True, False))
        assert tag == "tag:yaml.org,2002:str"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(f'*{old}' for _ in range(9))}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (BOMB, "7:", "more than 2,000,000 values"),
        ("a: &a [*a]", "1:8", "stands for nothing"),
        ("a: &x 1\nb: &x 2", "2:4", "defined twice"),
        ("a: &x 1\n---\nb: *x", "3:4", "begins with * has to be quoted"),
        ("a: &x y\n*x : 1", "2:1", "alias cannot be a key"),
        ("? [a]\n: 1", "1:3", "a key must be a string"),
        ("a: 1\na: 2", "2:1", '"a" is written twice'),
        ("1: a", "1:1", 'a key must be a string: quote it ("1")'),
        ("true: a", "1:1", "a key must be a string"),
        ("on: a", "1:1", "boolean to some"),
        ("a: !!python/object:os.system x", "1:4", "tags"),
        ("a: !custom {b: 1}", "1:4", "tags"),
        ("a: !!str 1", "1:4", "tags"),
        ("a: !!binary aGk=", "1:4", "tags"),
        ("<<: {a: 1}", "1:1", "merge keys"),
        ("a: b\0c", "1:5", "U+0000"),
        ('a: "b\\0c"', "1:4", "NUL"),
        ("a: b\u2028c", "1:5", "U+2028"),
        ("a: \ud800", "1:4", "U+D800"),
        ("a:\n\tb: 1", "2:1", "a tab cannot indent"),
        ("a: [1, 2", "1:4", "not YAML"),
        ("a: 1\nb: 'x\n", "2:4", "not YAML"),
        ("%TAG ! tag:x,2000:\n---\na: !y z", "3:4", "tags"),
        ("just text", "1:1", "must be a mapping"),
        ("", "1:1", "no document"),
        ("# only a comment\n", "1:1", "no document"),
        ("a: " + "[" * 70 + "]" * 70, f"1:{MAX_DEPTH + 3}", "nested deeper"),
        ("a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 40 + "*a" + "]" * 40, "2:44", "deeper"),
        ("a: x" + "\n# " + "x" * MAX_FILE_BYTES, "1:1", "larger than 1 MiB"),
        ("a: " + "ä" * (MAX_FILE_BYTES // 2), "1:1", "larger than 1 MiB"),
        ("a: '" + "x\n\n" * 10 + "\\", "", "not YAML"),
    ],
)
def test_hostile_text_is_an_error_with_its_place(text: str, place: str, words: str) -> None:
    errors = read(text)[1]
    assert any(error.startswith(f"a.yaml:{place}") and words in error for error in errors), errors


def test_limits_count_all_files_together() -> None:
    budget = Budget(documents=2, nodes=100, size=1000)
    assert read("a: 1\n---\nb: 2\n", budget)[1] == []
    assert "more than 20,000 documents" in read("a: 1", budget)[1][0]
    assert MAX_DOCUMENTS == 20_000
    assert "together are larger" in read("a: " + "x" * 1000, Budget(size=100))[1][0]
    assert f"{MAX_NODES:,} values" in read("[" + "1," * 200 + "]", Budget(nodes=100))[1][0]


def test_reading_a_file_stops_after_a_hundred_errors() -> None:
    errors = read("\n".join(f"k{n}: yes" for n in range(1000)))[1]
    assert len(errors) == 101
    assert "only the first errors" in errors[-1]


def test_aliases_stand_for_what_they_name() -> None:
    text = "a: &a {x: &n 1, y: [*n, *n]}\nb: *a\nc: &s text\nd: *s"
    shared = {"x": 1, "y": [1, 1]}
    assert read(text) == ([{"a": shared, "b": shared, "c": "text", "d": "text"}], [])


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("a: 1", [1]),
        ("# comment\n\na: 1\n---\n# comment\n---\nb: 2\n...\n---\nc: 3\n...\n", [3, 7, 10]),
        ("a: |\n  ---\n  b: 1\n---\nc: 1", [1, 5]),
        ("a: '\n\n  --- x'\n---\nc: 1", [1, 5]),
        ("\ufeffa: 1\r\n---\r\nb: 2\r\n", [1, 3]),
        ("%YAML 1.1\n---\na: 1", [3]),
        ("--- {a: 1}\n--- {b: 1}", [1, 2]),
    ],
)
def test_a_document_starts_where_its_first_key_stands(text: str, starts: list[int]) -> None:
    assert lines(text) == starts


PIECES = st.sampled_from(
    [
        *("apiVersion: aigitops/v1\n", "kind: Account\n", "kind: ModelDeployment\n", "metadata: "),
        *("{name: a}\n", "{name: bb}\n", "spec:\n", "  account: bb\n", "  sku: {name: S0}\n"),
        *(
            "  kind: OpenAI\n",
            "---\n",
            "...\n",
            "&a ",
            "*a",
            "!!x ",
            "? ",
            "- ",
            "  ",
            "\t",
            "${a}",
        ),
        *("lifecycle: ", "verify: ", "{", "}", "[", "]", ",", ": ", "null\n", "1", "'", '"', "|\n"),
        *("\n", "\r\n", "#", "%", "\\", "ä", "\U0001f600", "{ref: Account/bb, path: id}"),
        *("{secret: {setting: A}}", "/subscriptions/a", "  tags: ", "enabled: ", "dependsOn: "),
    ]
)
ENVIRONMENT = (
    "apiVersion: aigitops/v1\nkind: Environment\nmetadata: {name: dev}\n"
    "spec: {subscription: 00000000-0000-0000-0000-000000000001, resourceGroup: rg, location: x}\n"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200))
@example("a: &a\n  b: *a\n")
@example("\ud800")
@example("%YAML 9.9\n---\n{}")
@example("%TAG ! x\n---\n{}")
def test_any_text_gives_resources_or_errors(text: str) -> None:
    files = {"specs/environments/dev.yaml": ENVIRONMENT, "specs/a.yaml": text}
    with suppress(SpecErrors):
        parse(files, "dev")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_that_are_text_give_environments_or_errors(data: bytes) -> None:
    files = {"specs/environments/dev.yaml": data.decode("latin-1"), "specs/a.yaml": ENVIRONMENT}
    with suppress(SpecErrors):
        parse(files, "dev")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "apiVersion": st.just("aigitops/v1") | JSON,
            "kind": st.sampled_from(["Account", "ModelDeployment", "RoleAssignment"]) | JSON,
            "metadata": st.fixed_dictionaries({"name": JSON}, optional={"dependsOn": JSON}) | JSON,
            "spec": st.dictionaries(
                st.sampled_from(["account", "sku", "model", "tags", "kind", "scope", "role"]), JSON
            )
            | JSON,
            "enabled": JSON,
            "lifecycle": st.fixed_dictionaries({}, optional={"ignore": JSON, "protect": JSON}),
            "verify": st.fixed_dictionaries({}, optional={"request": JSON, "expect": JSON}) | JSON,
        },
    )
)
def test_any_document_of_any_shape_gives_resources_or_errors(document: Any) -> None:
    text = yaml.safe_dump(document, allow_unicode=False, default_style='"')
    files = {"specs/environments/dev.yaml": ENVIRONMENT, "specs/a.yaml": text.replace("!!", "#")}
    plainly = {**files, "specs/a.yaml": yaml.safe_dump(document)}
    for several in (files, plainly):
        with suppress(SpecErrors):
            parse(several, "dev")


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["include", "values", "patches", "tags", "prune", "suspend", "windows", "policy"]
        ),
        JSON | st.lists(st.fixed_dictionaries({"kind": JSON, "name": JSON, "spec": JSON})),
    )
)
def test_any_environment_of_any_shape_gives_resources_or_errors(spec: Any) -> None:
    wanted = {
        "subscription": "00000000-0000-0000-0000-000000000001",
        "resourceGroup": "rg",
        "location": "eastus2",
        **spec,
    }
    document = {
        "apiVersion": "aigitops/v1",
        "kind": "Environment",
        "metadata": {"name": "dev"},
        "spec": wanted,
    }
    account = "apiVersion: aigitops/v1\nkind: Account\nmetadata: {name: aa}\nspec: {}\n"
    files = {"specs/environments/dev.yaml": yaml.safe_dump(document), "specs/a.yaml": account}
    with pytest.raises(SpecErrors) as caught:
        parse(files, "dev")
    assert caught.value.errors
