"""How much memory Python takes at most while something is done."""

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """The most bytes allocated at once since the start, whenever asked."""
    gc.collect()
    tracemalloc.start()
    peak = 0
    try:
        yield lambda: peak
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
