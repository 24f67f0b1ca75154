"""What is wrong with an input is said by field and rule, and nothing of the input is repeated."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.commands.intake import ProvidePersonalData
from shared.written.wrong_fields import wrong_field, wrong_fields

CANARY = "Kanarienvogel"


def test_fields_and_rules_are_named_and_values_and_unknown_names_are_not() -> None:
    with pytest.raises(ValidationError) as found:
        ProvidePersonalData.model_validate_json(
            f'{{"case_id": "{CANARY}!", "identity": {{"surname": "V", "{CANARY}": "{CANARY}"}}}}'
        )
    said = dict(wrong_fields(found.value))
    assert {"case_id", "by", "identity.(unknown field)"} <= set(said)
    assert CANARY not in str(said)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"type": "json_invalid", "msg": f"near {CANARY}"}, ("(body)", "is not JSON")),
        ({"type": "extra_forbidden", "msg": "no"}, ("(unknown field)", "no")),
        ({"type": "union_tag_invalid", "msg": CANARY}, ("(body)", "is not allowed here")),
    ],
)
def test_messages_that_repeat_what_was_sent_are_replaced(
    error: dict[str, str], said: tuple[str, str]
) -> None:
    assert wrong_field(error, (), "(body)") == said
