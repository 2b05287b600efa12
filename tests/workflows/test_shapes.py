"""The shape of data, and the models that are written of it."""

from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from notte_mcp.workflows import write_code
from notte_mcp.workflows.shapes import Models, model_shape, shape_of
from tests.workflows.broad import DATA
from tests.workflows.recording import SPEC, Recording

VALIDATOR: Any = jsonschema.Draft202012Validator
"""Without types of its own."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_data_are_of_their_own_shape(value: Any) -> None:
    """Ours: whatever JSON holds."""
    VALIDATOR.check_schema(shape_of(value))
    VALIDATOR(shape_of(value)).validate(value)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON, min_size=1, max_size=5))
@example({"rows": [{"a": None}, [[None], [None, False]]], "row": [[None], None]})
def test_a_model_takes_the_data_that_it_was_made_of(value: dict[str, Any]) -> None:
    """Ours: the source runs, and pydantic agrees with it."""
    shape = model_shape(shape_of(value))
    assert shape is not None
    models = Models()
    name = models.type_of(shape, "result")
    space: dict[str, Any] = {"BaseModel": BaseModel, "Field": Field}
    exec("\n".join(models.sources), space)  # noqa: S102 - what was written is what is tested

    assert space[name].model_validate(value).model_dump(by_alias=True, exclude_unset=True) == value


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ({"price": 3}, {"price": 3.5}),
        ({"since": None}, {"since": "2020"}),
        ([{"a": 1}, {"a": None, "b": "x"}], [{"a": 2.5}]),
        ([], [1, "x"]),
        ({"a": 1, "b": None}, {"a": 2}),
        ([{"a": 1, "b": "x"}, {"a": 2, "b": None}], [{"a": 3}]),
    ],
)
def test_a_shape_is_as_wide_as_one_example_allows(value: Any, other: Any) -> None:
    """Ours: another run's data are not wrong because they are others."""
    assert VALIDATOR(shape_of(value)).is_valid(other)


@pytest.mark.parametrize(
    ("value", "other"), [({"a": 1}, {"a": "1"}), ({"a": 1}, {}), ([1], ["x"]), ("x", None), ("x", ""), ([1], [])]
)
def test_another_form_is_told(value: Any, other: Any) -> None:
    """Ours: a table that lost a column is not what was recorded."""
    assert not VALIDATOR(shape_of(value)).is_valid(other)


def test_classes_are_named_by_their_keys_and_written_once() -> None:
    """Ours: nested ones first, names that are none of Python's."""
    models = Models()
    items = model_shape(shape_of(DATA["items"]))
    assert items is not None

    assert [models.type_of(items, "result"), models.type_of(items, "result")] == ["Result", "Result"]
    seller, item, result = models.sources
    assert seller == "class Seller(BaseModel):\n    name: str\n    since: object = None"
    assert item.splitlines() == [
        "class Item(BaseModel):",
        "    name: str",
        "    price: float",
        "    tags: list[object]",
        '    in_stock: bool | None = Field(default=None, alias="in stock")',
        '    class_value: str | None = Field(default=None, alias="class")',
        "    seller: Seller | None = None",
    ]
    assert result == "class Result(BaseModel):\n    items: list[Item]"


def test_a_callers_schema_is_a_model_of_the_notte_script() -> None:
    """SDK 1.10's `session.scrape(response_format=...)`; references are put in place, what no type tells may be anything."""
    product = {"type": "object", "properties": {"name": {"type": "string"}, "price": {"type": ["number", "null"]}}}
    schema = {
        "type": "object",
        "$defs": {"P": product | {"required": ["name"]}},
        "properties": {
            "products": {"type": "array", "items": {"$ref": "#/$defs/P"}},
            "odd": True,
            "loop": {"$ref": "#"},
        },
        "required": ["products"],
    }
    recording = Recording().goto("https://shop.example/")
    recording.add({"type": "scrape", "instructions": "all products", "response_schema": schema})
    code = write_code(recording.steps, SPEC, target="notte").code

    assert "class Product(BaseModel):\n    name: str\n    price: float | None = None\n" in code
    assert "    products: list[Product]\n    odd: object = None\n" in code
    assert "response_format=Result" in code
