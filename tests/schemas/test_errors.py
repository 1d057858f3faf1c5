"""The errors: a sentence, everything that is wrong, and what to do about it."""

import inspect

import pytest

from schemas import errors
from schemas.errors import ConfigurationError, GridloomError, MessageError

OWN_ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if kind.__module__ == errors.__name__
]


def test_an_error_with_nothing_more_to_say_is_its_sentence() -> None:
    error = GridloomError("Kafka does not answer")
    assert str(error) == error.message == "Kafka does not answer"
    assert (error.hint, error.problems) == ("", ())


def test_an_error_lists_every_problem_below_its_sentence() -> None:
    error = MessageError("this is no Reading", problems=["site: missing", "unit: 'J' is unknown"])
    assert str(error) == "this is no Reading\n  - site: missing\n  - unit: 'J' is unknown"
    assert error.message == "this is no Reading"


def test_a_hint_is_kept_apart_from_what_is_wrong() -> None:
    error = ConfigurationError("the file is empty", hint="name another file")
    assert error.hint == "name another file"
    assert error.hint not in str(error)


def test_problems_may_come_one_by_one() -> None:
    error = ConfigurationError("wrong", problems=(f"key {n}" for n in range(2)))
    assert error.problems == ("key 0", "key 1")
    assert error.problems == ("key 0", "key 1")


@pytest.mark.parametrize("kind", OWN_ERRORS)
def test_every_error_of_ours_is_caught_as_one(kind: type[GridloomError]) -> None:
    with pytest.raises(GridloomError) as caught:
        raise kind("a sentence", hint="a hint", problems=["a problem"])
    assert (caught.value.message, caught.value.hint) == ("a sentence", "a hint")
    assert caught.value.problems == ("a problem",)


@pytest.mark.parametrize("kind", OWN_ERRORS)
def test_every_error_of_ours_stands_in_the_drawing(kind: type[GridloomError]) -> None:
    """The tree is drawn once, where the errors are."""
    assert f"{kind.__name__} " in f"{errors.__doc__}".replace("\n", " ")
