"""Checks of the kind of an argument. Each raises ``InvalidValue``, which names the argument,
the value and what to give. The compiled part checks the range."""

from __future__ import annotations

import math
import operator
import os
from typing import Any, Callable, Mapping, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._errors import InvalidValue

T = TypeVar("T")


def refused(name: str, value: object, wanted: str) -> InvalidValue:
    """The exception for an argument; a long value is cut."""
    said = repr(value).replace("\n", " ")
    said = said if len(said) <= 60 else f"{said[:57]}..."
    return InvalidValue(f"{name} = {said}: give {wanted}")


def whole(name: str, value: Any) -> int:
    """A whole number from 0 to 2^64 − 1."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < 2**64:
        raise refused(name, value, "a whole number, 0 or more, of at most 64 bits")
    return number


def number(name: str, value: Any) -> float:
    """A finite number; the text of one is none."""
    try:
        found = float("nan") if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = float("nan")
    if not math.isfinite(found):
        raise refused(name, value, "a number")
    return found


def truth(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise refused(name, value, "True or False")
    return bool(value)


def word(name: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise refused(name, value, "a text")
    return value


def path(name: str, value: Any) -> str | os.PathLike[str]:
    """The path of a file or folder."""
    if not isinstance(value, (str, os.PathLike)) or str(value) == "" or "\0" in str(value):
        raise refused(name, value, "the path of a file or folder")
    found: str | os.PathLike[str] = value
    return found


def mapping(name: str, value: Any) -> Mapping[Any, Any]:
    """A dictionary."""
    if not isinstance(value, Mapping):
        raise refused(name, value, "a dictionary")
    return value


def array(name: str, value: Any, dtype: Any = None) -> NDArray[Any]:
    """An array of this type, or of what NumPy makes of the value."""
    try:
        return np.asarray(value, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidValue(f"{name}: {error}: give an array") from None


def each(name: str, values: Any, check: Callable[[str, Any], T]) -> list[T]:
    """All entries of an array, or one value, checked."""
    return [check(name, value) for value in array(name, values).ravel().tolist()]


def optional(check: Callable[[str, Any], T], name: str, value: Any) -> T | None:
    """The value checked, unless it is ``None``."""
    return None if value is None else check(name, value)
