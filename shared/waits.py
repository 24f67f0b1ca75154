"""The settings that are spans: how long services wait before something is due, or over."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Waits(BaseSettings):
    """Each service says which of them it reads (`Spans` in its `deadlines`)."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)

    location_retention_hours: float = Field(
        72.0, ge=0, description="how long places are kept after handover, hours"
    )
    registry_answer_minutes: float = Field(
        15.0,
        ge=0,
        description="how long a registry may take to answer before a person looks, minutes",
    )
    registry_overdue_hours: float = Field(
        24.0, ge=0, description="how long a statement may be without a registry's answer, hours"
    )
    outbound_report_minutes: float = Field(
        10.0, gt=0, description="how long a channel may take to report on a message, minutes"
    )
    contact_due_hours: float = Field(
        6.0, ge=0, description="how long without contact until somebody should reach him, hours"
    )
    contact_silent_hours: float = Field(
        12.0, ge=0, description="how long without contact until he counts as silent, hours"
    )
    decide_lost_hours: float = Field(
        72.0,
        ge=0,
        description="how long without contact until a person decides whether he is lost, hours",
    )
    rendezvous_expiry_hours: float = Field(
        2.0, ge=0, description="how long after its window a rendezvous expires, hours"
    )
    offer_unanswered_minutes: float = Field(
        30.0, ge=0, description="how long a team may take to answer an offer, minutes"
    )
    offer_unanswered_again_minutes: float = Field(
        120.0,
        ge=0,
        description="how long without the team's answer until a second reminder, minutes",
    )
    capture_card_days: float = Field(
        7.0, ge=0, description="how long after his arrival at a camp his card must be sent, days"
    )
    lease_minutes: float = Field(5.0, gt=0, description="how long a claim lasts, minutes")
    life_now_s: float = Field(
        60.0, gt=0, description="how long a case of urgency life_now may wait unclaimed, seconds"
    )
    second_call_days: float = Field(
        30.0, gt=0, description="how long a man may be silent after he was given his code, days"
    )
    enrolment_hours: float = Field(
        24.0, gt=0, le=168, description="how long a link to register a key holds, hours"
    )
    proposal_minutes: float = Field(
        10.0,
        gt=0,
        le=60,
        description="how long a decision waits for its second signature, minutes",
    )
