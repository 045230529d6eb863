"""Mixing matrices between channel layouts, and the loudness weight of each channel."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
"""Shape (inputs, outputs): samples @ matrix mixes (frames, inputs) to (frames, outputs)."""

_SURROUND = ("BL", "BR", "SL", "SR", "BC")
_SURROUND_WEIGHT = 1.41  # ITU-R BS.1770-4 table 3


def loudness_weights(layout: tuple[str, ...]) -> tuple[float, ...]:
    """Return each channel's weight in loudness (ITU-R BS.1770-4): 0 for LFE, 1.41 for surround, else 1."""
    return tuple(0.0 if name == "LFE" else _SURROUND_WEIGHT if name in _SURROUND else 1.0 for name in layout)


def averaging_matrix(layout: tuple[str, ...], channels: int) -> Matrix | None:
    """Return the matrix that averages a layout to one or two channels; None if the channel count already fits.

    Channels of opposite polarity cancel out in an average; use `first_channel_matrix` for those.
    """
    if len(layout) == channels:
        return None
    audible = np.array([name != "LFE" for name in layout], dtype=np.float32)
    if channels == 1:
        return np.asarray(audible / max(audible.sum(), 1.0))[:, None]
    left = audible * [not name.endswith("R") for name in layout]
    right = audible * [not name.endswith("L") for name in layout]
    sides = np.stack([left, right], axis=1).astype(np.float32)
    return np.asarray(sides / np.maximum(sides.sum(axis=0), 1.0), dtype=np.float32)


def first_channel_matrix(layout: tuple[str, ...], channels: int) -> Matrix:
    """Return the matrix that copies the first channel to all outputs and drops the others."""
    return np.repeat(np.eye(len(layout), 1, dtype=np.float32), channels, axis=1)
