"""How much memory Python takes at most while something is done."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Gives a function that says how many bytes more were taken at once, at most."""
    gc.collect()
    tracemalloc.start()
    peak = 0
    try:
        yield lambda: peak
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
