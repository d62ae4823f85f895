"""Texts that many customers share, stored once and referred to by number."""

from array import array
from collections.abc import Callable
from functools import lru_cache
from typing import BinaryIO

import numpy as np
import pandas as pd

NO_TEXT = 2**32 - 1
"""The number that stands for no text."""
WRITER_CACHE = 200_000
"""Texts a writer keeps in memory; beyond that it starts afresh, and a text may be written twice."""
READER_CACHE = 20_000
"""Texts a reader keeps in memory."""


class TextsWriter:
    """Writer that numbers texts, and writes each to a file when it first occurs."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.ends = array("Q", [0])
        self.numbers: dict[str, int] = {}

    def numbered(self, column: pd.Series) -> np.ndarray:
        """The number of each text of a column, uint32; `NO_TEXT` where there is none."""
        codes, texts = pd.factorize(column)
        if len(self.numbers) > WRITER_CACHE:
            self.numbers.clear()
        numbers = [self._number(text) for text in texts]
        return np.array([*numbers, NO_TEXT], np.uint32)[codes]

    def _number(self, text: str) -> int:
        number = self.numbers.get(text)
        if number is None:
            number = self.numbers[text] = len(self.ends) - 1
            content = text.encode()
            self.file.write(content)
            self.ends.append(self.ends[-1] + len(content))
        return number


def text_reader(ends: np.ndarray, texts: np.ndarray) -> Callable[[int], str]:
    """A function that returns the text with a number."""

    @lru_cache(READER_CACHE)
    def text(number: int) -> str:
        return texts[ends[number] : ends[number + 1]].tobytes().decode()

    return text
