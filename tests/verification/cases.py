"""Cases as verification's tests begin them, and registries as they fill them."""

from functools import reduce
from pathlib import Path

from services.verification.registry import Loaded, SqliteRegistry, load_csv
from services.verification.registry_checks import decide_consequence
from services.verification.state import VerificationState, evolve
from shared.events.base import Event
from shared.events.claims import CaseClaimed
from shared.events.fields import Plain
from shared.events.verification import IdentityField, RegistryChecked, RegistryOutcome
from tests.examples import CASE, NOON, CaseBook, case_opened, personal_data_provided, sealed

CLAIMED = (case_opened(), personal_data_provided())
"""The claim is version 2, so the book calls its event by that number."""
CLAIM_ID = f"{CASE}-2"


def given(*events: Event) -> VerificationState:
    """The case after these events; what a decision has just made of it is sealed first."""
    return reduce(evolve, CaseBook().add_all(map(_sealed, events)), VerificationState())


def _sealed(event: Event) -> Event:
    plain = [name for name in event.PERSONAL if isinstance(getattr(event, name), Plain)]
    return event.model_copy(update={name: sealed(name) for name in plain})


def consequence(*events: Event, then: tuple[Event, ...] = ()) -> list[Event]:
    """What follows from the last event, an answer, once `then` was recorded too."""
    book = CaseBook()
    before = book.add_all(events)
    state = reduce(evolve, [*before, *book.add_all(then)], VerificationState())
    return decide_consequence(state, before[-1])


def answered(
    outcome: RegistryOutcome,
    about: str = CLAIM_ID,
    agreeing: tuple[IdentityField, ...] = (),
    conflicting: tuple[IdentityField, ...] = (),
) -> RegistryChecked:
    return RegistryChecked(
        registry="invented",
        about_event=about,
        outcome=outcome,
        score=50,
        fields_agreeing=agreeing,
        fields_conflicting=conflicting,
    )


def claimed_by(operator: str, fence: int = 1) -> CaseClaimed:
    return CaseClaimed(operator=operator, lease_until=NOON, fence=fence, basis="free")


HEADER = "surname,first_names,patronymic,rank,date_of_birth,service_number,unit\n"


def registry_of(folder: Path, rows: str, header: str = HEADER) -> SqliteRegistry:
    load_text(folder, header + rows)
    return SqliteRegistry(folder / "registry.db")


def load_text(folder: Path, text: str, encoding: str = "utf-8", named: str | None = None) -> Loaded:
    source = folder / "rows.csv"
    source.write_bytes(text.encode(encoding))
    return load_csv(folder / "registry.db", source, named)
