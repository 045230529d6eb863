"""From the channels a file has to those that are wanted, and what each weighs in loudness."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
"""Shape (inputs, outputs): samples @ matrix mixes (frames, inputs) to (frames, outputs)."""

_SURROUND = ("BL", "BR", "SL", "SR", "BC")
_SURROUND_WEIGHT = 1.41  # ITU-R BS.1770-4 table 3


def weights(layout: tuple[str, ...]) -> tuple[float, ...]:
    """Weight of each channel in loudness (ITU-R BS.1770-4): none for LFE, more for surround."""
    return tuple(0.0 if name == "LFE" else _SURROUND_WEIGHT if name in _SURROUND else 1.0 for name in layout)


def mixing(layout: tuple[str, ...], channels: int) -> Matrix | None:
    """Matrix that averages a layout to one or two channels; None when nothing has to be done.

    Channels of opposite sign cancel each other out in an average; `first_only` is the way around.
    """
    if len(layout) == channels:
        return None
    heard = np.array([name != "LFE" for name in layout], dtype=np.float32)
    if channels == 1:
        return np.asarray(heard / max(heard.sum(), 1.0))[:, None]
    left = heard * [not name.endswith("R") for name in layout]
    right = heard * [not name.endswith("L") for name in layout]
    sides = np.stack([left, right], axis=1).astype(np.float32)
    return np.asarray(sides / np.maximum(sides.sum(axis=0), 1.0), dtype=np.float32)


def first_only(layout: tuple[str, ...], channels: int) -> Matrix:
    """Matrix that takes the first channel and leaves out all others."""
    return np.repeat(np.eye(len(layout), 1, dtype=np.float32), channels, axis=1)
