"""The timeline: every step is seen, waiting is cut, and it ends in good time; for any session there may be."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from notte_mcp.records import StepRecord
from notte_mcp.replay import pictures
from notte_mcp.replay.film import Shot
from notte_mcp.replay.timeline import AFTER_MS, BEFORE_MS, MAX_MS, SHORT_MS, Reel, later, lay_out
from tests.replay.filmed import VIEWPORT, step


def shots(*at: float) -> list[Shot]:
    return [Shot(one, number * 1_000, 900, 960, 600, VIEWPORT) for number, one in enumerate(at)]


def steps(*gaps: tuple[float, float, bool], since: float = 100.0) -> list[StepRecord]:
    """Steps by the seconds before each, how long it took, and whether it led away."""
    found: list[StepRecord] = []
    at = since
    for number, (gap, took, moved) in enumerate(gaps, 1):
        at += gap
        found.append(step(number, at, took=took, moved=moved))
        at += took
    return found


SECONDS = st.floats(0, 400, allow_nan=False)
PACES = st.lists(st.tuples(SECONDS, st.floats(0, 60), st.booleans()), max_size=25)
FRAMES = st.lists(st.floats(0, 3_000), min_size=1, max_size=120)


@given(PACES, FRAMES)
@settings(max_examples=60, deadline=None)
def test_each_step_is_there_once_in_its_order_for_its_time(
    paces: list[tuple[float, float, bool]], at: list[float]
) -> None:
    """Ours: whatever the film holds, the clock only goes on, and no step is missed."""
    taken = steps(*paces)
    reel = Reel(shots(*sorted(90 + one for one in at)), taken)

    line = lay_out([reel])

    assert [mark.number for mark in line.marks] == [one.number for one in taken]
    assert line.ms == sum(scene.ms for scene in line.scenes) <= MAX_MS
    assert all(scene.ms > 0 for scene in line.scenes)
    assert all(before.clock <= after.clock + 1e-6 for before, after in pairwise(line.scenes) if not after.begins)
    for mark in line.marks:
        assert 0 <= mark.at <= mark.shown < mark.ends <= line.ms / 1_000
        assert mark.ends - mark.at >= (BEFORE_MS + AFTER_MS) / 1_000 - 0.001
    assert all(one.ends <= two.at + 0.001 for one, two in pairwise(line.marks))
    assert line == lay_out([reel])


@given(PACES.filter(bool), FRAMES)
@settings(max_examples=40, deadline=None)
def test_at_its_mark_a_step_is_shown_by_its_own_picture(
    paces: list[tuple[float, float, bool]], at: list[float]
) -> None:
    """Log, picture and video agree about every step."""
    taken = steps(*paces)
    reel = Reel(shots(*sorted(90 + one for one in at)), taken)
    line = lay_out([reel])
    when = pictures.times(reel.shots)
    for index, (mark, one) in enumerate(zip(line.marks, taken, strict=True)):
        passed = 0
        for scene in line.scenes:
            if passed == round(mark.shown * 1_000):
                assert scene.shot == pictures.shot_of(when, taken, index)
                assert scene.pointed == pictures.pointed(one, VIEWPORT)
                break
            passed += scene.ms
        else:
            raise AssertionError(mark)


def test_waiting_is_cut_short_and_says_so() -> None:
    """Nobody waits for a model to think."""
    taken = steps((0.5, 0.2, False), (42.0, 0.2, False))

    line = lay_out([Reel(shots(99.0, 100.6, 110.0, 120.0, 142.6), taken)])

    cut = [scene for scene in line.scenes if scene.note]
    assert sum(scene.ms for scene in cut) <= SHORT_MS
    assert {scene.note for scene in cut} == {"42 s later"}
    assert line.ms < 5_000
    assert [later(s) for s in (0.4, 1.9, 12.2, 300, 9_000, 400_000)] == [
        "",
        "",
        "12 s later",
        "5 min later",
        "2 h later",
        "5 days later",
    ]


def test_frames_go_at_their_own_pace_where_something_happens() -> None:
    """What moves within a second is seen moving."""
    taken = steps((0.5, 0.9, False))

    line = lay_out([Reel(shots(100.0, 100.6, 100.8, 101.0, 101.2), taken)])

    assert [scene.ms for scene in line.scenes if scene.shot in (1, 2, 3)] == [
        250,
        200,
        200,
    ]  # the first 50 ms are too short to be seen


def test_an_agent_has_its_slice_of_the_film() -> None:
    """What came before it and after it is another's."""
    taken = steps((0.5, 0.2, False), since=200.0)
    film = shots(*(100.0 + number for number in range(300)))

    line = lay_out([Reel(film, taken, since=200.0, until=202.0)])

    assert min(scene.clock for scene in line.scenes) >= 200.0
    assert max(scene.clock for scene in line.scenes) <= 202.0


def test_parts_follow_one_another_and_one_without_a_film_is_passed_over() -> None:
    """An agent's attempts are sessions of their own."""
    first, second = steps((0.5, 0.2, True)), steps((0.5, 0.2, False), since=400.0)
    film = shots(100.0, 100.7)

    line = lay_out([Reel(film, first), Reel([], first), Reel(shots(400.0, 401.0), second)])

    assert [mark.part for mark in line.marks] == [0, 2]
    assert [scene.part for scene in line.scenes] == sorted(scene.part for scene in line.scenes)
    assert any(scene.part == 2 and scene.note == "5 min later" for scene in line.scenes)
    assert not lay_out([Reel([], first)]).scenes


def test_a_very_long_session_is_played_faster() -> None:
    """However many steps, it ends in good time, and all of them are there."""
    taken: Sequence[StepRecord] = steps(*[(3.0, 0.3, False)] * 3_000)
    film = shots(*(100.0 + number / 2 for number in range(20_000)))

    line = lay_out([Reel(film, taken)])

    assert len(line.marks) == 3_000
    assert line.ms <= MAX_MS
    assert len(line.scenes) < 12_000


def test_a_step_in_flight_is_shown_as_far_as_it_came() -> None:
    """A live session's last step has no end yet."""
    taken = steps((0.5, 0.2, False), (1.0, 0.2, False))
    open_one = replace(taken[1], ended_at=None, receipt=None, state="intended")

    line = lay_out([Reel(shots(100.0, 100.6, 103.0), [taken[0], open_one])])

    assert [mark.number for mark in line.marks] == [1, 2]
    assert line.scenes[-1].shot == 2
