import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notte_mcp.keeper import frames

IDS = st.one_of(st.integers(0, 10**12), st.text(max_size=8))
PARAMS = st.dictionaries(st.sampled_from(["id", "method", "jsonrpc", "x"]), st.one_of(st.integers(), st.text()))


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=6), st.integers(1, 9))
def test_lines_are_the_same_however_they_come(lines: list[bytes], size: int) -> None:
    """A pipe cuts where it likes."""
    text = b"".join(line + b"\n" for line in lines) + b"rest"
    cut = frames.Lines(100)

    found = [line for at in range(0, len(text), size) for line in cut.feed(text[at : at + size])]

    assert found == [line + b"\n" for line in lines]


@given(IDS, PARAMS, st.permutations(["jsonrpc", "id", "method", "params"]), st.booleans())
def test_a_request_is_known_by_its_id_wherever_that_stands(
    number: int | str, params: dict[str, Any], order: list[str], spaced: bool
) -> None:
    """Each library writes its members in an order of its own, and arguments may hold anything."""
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    separators = (", ", ": ") if spaced else (",", ":")
    line = json.dumps({name: message[name] for name in order}, separators=separators).encode() + b"\n"

    assert frames.asked(line) == json.dumps(number).encode()
    assert frames.answered(line) is None


@given(IDS, PARAMS)
def test_an_answer_ends_what_was_asked(number: int | str, result: dict[str, Any]) -> None:
    """As the server writes it."""
    line = json.dumps({"jsonrpc": "2.0", "id": number, "result": result}, separators=(",", ":")).encode()

    assert frames.answered(line) == json.dumps(number).encode()
    assert frames.asked(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}',
        b'{"method":"notifications/x","params":{"id":5}}',
        b'{"method":"notifications/x","params":{"x":{"id":5}},"jsonrpc":"2.0"}',
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
        b"no message",
        b'{"id":',
        b"[" * 100_000,
    ],
)
def test_what_is_no_request_and_no_answer_has_no_id(line: bytes) -> None:
    """An error for something that nobody asked would confuse the host."""
    assert frames.asked(line + b"\n") is None
    assert frames.answered(line + b"\n") is None


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [(b'{"jsonrpc":"2.0","id":7,"x":"', b'"}', b"7"), (b'{"x":"', b'","id":8}', b"8"), (b"", b"", b"null")],
)
def test_a_line_that_is_too_long_is_let_pass_and_answered(before: bytes, after: bytes, asked: bytes) -> None:
    """P10: not held in memory, and the request it seems to be is not left without an answer."""
    lines = frames.Lines(10_000)
    found: list[bytes | frames.TooLong] = lines.feed(before)
    held = 0
    for _ in range(100):
        found += lines.feed(b"x" * 1_000)
        held = max(held, sum(map(len, lines._parts)))
    found += lines.feed(after + b'\n{"next":1}\n')

    assert isinstance(found[0], frames.TooLong)
    assert found[1:] == [b'{"next":1}\n']
    assert held < 12_000
    answer = json.loads(frames.too_long(found[0]))
    assert (json.dumps(answer["id"]).encode(), answer["error"]["code"]) == (asked, -32_600)
