"""What holds for every test: none promises a time, so no example of hypothesis has a deadline."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("passage", deadline=None)
settings.load_profile("passage")
