"""Records of access, as the key holder writes them."""

from datetime import timedelta

from shared.keys.access import AccessRecord, Spotted
from tests.examples import NOON


def access_record(
    *case_ids: str, hours: float = 0, by: str = "Olena Example", service: str = "query"
) -> AccessRecord:
    """Who opened where these men are, so many hours after noon."""
    return AccessRecord(
        access_id=f"{by.partition(' ')[0]}-{hours}",
        at=NOON + timedelta(hours=hours),
        by=by,
        service=service,
        purpose="he is on the line",
        values=tuple(
            Spotted(case_id=one, version=4, type_name="PersonalDataProvided", field="identity")
            for one in case_ids
        ),
    )
