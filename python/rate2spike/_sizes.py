"""What a model and a deployed network have in common."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar


class _Sized(Protocol):
    @property
    def units(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def outputs(self) -> int: ...


_Native = TypeVar("_Native", bound=_Sized)


class Sizes(Generic[_Native]):
    """The sizes of a network, which its compiled part knows."""

    __slots__ = ("_native",)

    def __init__(self, native: _Native) -> None:
        self._native = native

    @property
    def units(self) -> int:
        """Number of units, N."""
        return self._native.units

    @property
    def channels(self) -> int:
        """Number of input channels."""
        return self._native.channels

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self._native.outputs
