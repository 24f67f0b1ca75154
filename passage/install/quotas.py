"""How much of a channel may wait until intake has processed it (ADR 26)."""

from dataclasses import dataclass

from shared.settings import Settings


@dataclass(frozen=True)
class Quota:
    """The limits of each channel's stream; nats-server refuses what exceeds them."""

    stream_bytes: int
    messages: int
    message_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> "Quota":
        return cls(
            settings.calls_max_bytes, settings.calls_max_messages, settings.call_message_max_bytes
        )


USUAL = Quota.of(Settings.model_construct())
