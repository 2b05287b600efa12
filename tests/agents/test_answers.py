from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notte_mcp.agents.answers import MAX_REASON_CHARS, check, parse, valid_schema
from tests.site import Site

PRICE: dict[str, Any] = {
    "type": "object",
    "properties": {"price": {"type": "number"}, "name": {"type": "string"}},
    "required": ["price"],
    "additionalProperties": False,
}
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    "schema",
    [
        {},
        PRICE,
        {"type": "array", "items": {"$ref": "#/$defs/one"}, "$defs": {"one": {"type": "string"}}},
        {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}},
        {"$schema": DRAFT_7, "definitions": {"a": {"type": "string"}}, "$ref": "#/definitions/a"},
        {"$schema": "http://elsewhere.test/dialect", "type": "object"},
        {"$defs": {"n": {"$id": "n.json", "$defs": {"q": {}}, "$ref": "#/$defs/q"}}, "$ref": "n.json"},
        {"$anchor": "k", "properties": {"a": {"$ref": "#k"}}},
        {"properties": {"$ref": {"type": "string"}}},
        {"enum": [{"$ref": "only a value"}]},
    ],
)
def test_a_json_schema_of_any_draft_is_one(schema: dict[str, Any]) -> None:
    """Issue, bad input: what is refused is a schema that is no JSON Schema."""
    assert valid_schema(schema) == ""


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "objekt"}, "$.type"),
        ({"properties": {"a": {"type": 5}}}, "$.properties.a.type"),
        ({"required": "price"}, "$.required"),
        ({"type": "string", "pattern": "("}, "$.pattern"),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, "'#/$defs/gone' leads nowhere"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:1/schema.json"}}}, "nothing is fetched"),
        ({"$ref": "file:///etc/passwd"}, "nothing is fetched"),
        ({"$ref": "#"}, "leads back to itself"),
        ({"$dynamicRef": "#gone"}, "cannot be read"),
        ({"$schema": 5}, "cannot be read"),
        ({"type": "x" * 5_000}, "$.type"),
    ],
)
def test_what_is_no_json_schema_is_refused_with_where_and_why(schema: dict[str, Any], told: str) -> None:
    """Issue, bad input: a schema that is not a JSON Schema has its own error."""
    reason = valid_schema(schema)

    assert told in reason
    assert len(reason) <= MAX_REASON_CHARS


@pytest.mark.parametrize(
    "answer",
    [
        '{"price": 12.5}',
        ' {"price": 1, "name": "mug"}\n',
        '```json\n{"price": 1}\n```',
        '```\n{"price": 1}```',
        'It is:\n```json\n{"price": 1}\n```\n',
    ],
)
def test_an_answer_that_fits_is_taken_fenced_or_not(answer: str) -> None:
    """Issue, item 1: a completion is checked against `response_schema`."""
    assert check(answer, PRICE) == ""
    assert parse(answer)["price"] in (1, 12.5)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("It costs 12.50.", "no JSON"),
        ("", "no JSON"),
        ('{"price": 12.5', "no JSON"),
        ('{"price": NaN}', "NaN is no number"),
        ("[" * 100_000, "too deep"),
        ('{"price": ' + "9" * 5_000 + "}", "no JSON"),
        ("{}", "$: 'price' is a required property"),
        ('{"price": "12.50"}', "$.price: '12.50' is not of type 'number'"),
        ('{"price": 1, "colour": "red"}', "'colour' was unexpected"),
        ('"{\\"price\\": 1}"', "is not of type 'object'"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_where_and_why(answer: str, told: str) -> None:
    """Issue, item 1: refused with the reason when it does not fit."""
    reason = check(answer, PRICE)

    assert told in reason
    assert len(reason) <= MAX_REASON_CHARS


def test_many_faults_are_counted_and_long_values_are_not_repeated() -> None:
    """Ours: the reason goes to the model and must stay short."""
    schema = {"type": "array", "items": {"type": "integer"}}

    reason = check('["' + '", "'.join(["x" * 300] * 9) + '"]', schema)

    assert "and 6 more" in reason
    assert len(reason) <= MAX_REASON_CHARS


def test_a_schema_that_cannot_be_applied_is_a_reason_too() -> None:
    """Ours: the check is made in the middle of a step, and must never raise."""
    assert "cannot be applied" in check("{}", {"$ref": "#"})
    assert "cannot be applied" in check("{}", {"$ref": "http://127.0.0.1:1/schema.json"})


def test_nothing_is_fetched(site: Site) -> None:
    """Ours: a schema is a caller's text, and must not make the server call anybody."""
    schema = {"type": "object", "properties": {"a": {"$ref": site.url("/schema.json")}}}

    assert "nothing is fetched" in valid_schema(schema)
    assert "cannot be applied" in check('{"a": 1}', schema)
    assert site.requests == []


def test_the_draft_that_the_schema_names_is_the_one_that_counts() -> None:
    """Ours: `items` as a list is draft 7's, and means something else today."""
    schema = {"$schema": DRAFT_7, "items": [{"type": "string"}, {"type": "integer"}]}

    assert valid_schema(schema) == ""
    assert check('["a", 1]', schema) == ""
    assert check('["a", "b"]', schema) != ""


@given(st.text())
def test_any_answer_is_taken_or_refused(answer: str) -> None:
    """Ours: nothing that a model writes raises."""
    assert len(check(answer, PRICE)) <= MAX_REASON_CHARS


KEYWORDS = st.sampled_from(
    ["type", "items", "$ref", "$id", "$schema", "properties", "required", "enum", "pattern", "anyOf"]
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["object", "#", "#/properties"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(KEYWORDS, SCHEMAS, max_size=4))
def test_any_object_is_a_schema_or_refused(schema: dict[str, Any]) -> None:
    """Ours: nothing that a caller sends raises, and what is taken can be applied."""
    if not valid_schema(schema):
        check("{}", schema)
