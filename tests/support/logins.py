"""Logging in, refreshing and logging out in the middle of an experiment."""

from collections.abc import Mapping

import msgspec

from tests.support.app import bearer
from tests.support.experiment import Experiment
from tests.support.fleet import Fleet
from tests.support.outcomes import Ask
from tests.support.quick_http import Answer, QuickHttp, quick_http
from tests.support.secrets import remember


class Login(msgspec.Struct, frozen=True):
    """What somebody got who logged in or refreshed."""

    access_token: str
    refresh_token: str

    @property
    def fields(self) -> Mapping[str, str]:
        return bearer(self.access_token)


async def log_in(running: Experiment, fleet: Fleet, http: QuickHttp | None = None) -> Login | None:
    """Start a session of Anna's; None where it was refused."""
    body = {"username": "anna", "password": fleet.passwords["anna"]}
    return _login_in(await running.ask(Ask("/login", 200, method="POST", body=body), http))


async def refresh(running: Experiment, login: Login, *, status: int = 200) -> Login | None:
    """Use the refresh token, for which `status` is the right answer; None where it was refused."""
    body = {"refresh_token": login.refresh_token}
    return _login_in(await running.ask(Ask("/refresh-token", status, method="POST", body=body)))


async def log_out(running: Experiment, login: Login, http: QuickHttp | None = None) -> None:
    await running.ask(Ask("/logout", 204, login.fields, method="POST"), http)


async def use_everywhere(running: Experiment, fleet: Fleet, login: Login, status: int) -> None:
    """Use the access token at each replica, for which `status` is the right answer."""
    for replica in fleet.replicas:
        async with quick_http(replica.port) as http:
            await running.ask(Ask("/user-area", status, login.fields), http)


def _login_in(answer: Answer | None) -> Login | None:
    if answer is None or not answer.is_success:
        return None
    login = msgspec.json.decode(answer.body, type=Login)
    remember(login.access_token, login.refresh_token)
    return login
