"""What the command line signs: the same for a command that is given again."""

import json

import httpx

from passage.api import Api
from passage.own_keys import made_key
from passage.signing import Signer, give

SITE = "http://localhost:8080"


async def salts_of(*command_ids: str) -> list[str]:
    """With one person's key, what each command that is given was salted with."""
    found: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/signing"):
            found.append(json.loads(request.content)["body"]["salt"])
        return httpx.Response(200, json={"people": 0})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url=SITE) as client:
        signer = Signer(Api(client), made_key("petro", SITE))
        for one in command_ids:
            await give(signer, "ClearDuress", {"command_id": one, "case_id": "4711"}, "again")
    return found


async def test_a_command_that_is_given_again_is_salted_as_before_and_no_other_is() -> None:
    first, again, other = await salts_of("cmd-1", "cmd-1", "cmd-2")
    assert first == again
    assert other != first


async def test_nobody_elses_key_salts_it_alike() -> None:
    assert await salts_of("cmd-1") != await salts_of("cmd-1")
