"""The body with which a session is started, and what becomes of each of its fields here.

Honoured: viewport and aspect ratio, user agent, headers, profile, an external proxy, `cdp_url`, the two limits; in 1.9
`headless`. Of what a browser of the caller's own has already (`cdp_url`) nothing is changed, and that is told.
Recorded and echoed, since it means nothing on a machine of one's own: captchas, stealth, ad blocking, web bot auth,
managed auth, `proxies: true`. `chrome_args` is one of these, since sessions share a browser that has been started. Refused, since doing without would be another thing than what was asked: a proxy of
Notte's in some country, a tailnet, a vault.

Below: calls, faults; errors, records. Above: sessions, scraping.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, urlsplit

from pydantic import AliasChoices, BaseModel, Field, model_validator

from notte_mcp.api.calls import Defaults
from notte_mcp.api.faults import ApiFault, not_served, wrong
from notte_mcp.errors import BrowserLaunchFailed
from notte_mcp.records import SessionSpec

IGNORED: Final = "x-notte-mcp-ignored"
"""The header of an answer that names the start fields which were recorded and have no effect here."""

IDLE_MINUTES: Final = 3
MAX_IDLE_MINUTES: Final = 30
MAX_MINUTES: Final = 15
_LEAST_PX: Final = 500

_RATIOS: Final = {"16:9": (1280, 720), "5:4": (1280, 1024)}
"""The viewports that an aspect ratio stands for."""

_SECRET: Final = frozenset({"proxies", "cdp_url", "extra_http_headers"})
"""Fields that may hold a password: of these only whether they were given is put on record."""

_HONOURED: Final = frozenset(
    {"max_duration_minutes", "idle_timeout_minutes", "user_agent", "viewport_width", "viewport_height", "aspect_ratio",
     "cdp_url", "profile", "headless", "browser_type", "wait_for_authentication", "screenshot_type", "use_file_storage",
     "extra_http_headers"}
)  # fmt: skip
"""Fields that do what they say, or whose effect nobody would miss."""

_OF_THEIR_BROWSER: Final = frozenset({"user_agent", "viewport_width", "viewport_height", "aspect_ratio", "headless"})
"""Fields without effect on a browser of the caller's own."""

HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=200)]
HeaderValue = Annotated[str, Field(pattern=r"^[^\x00-\x08\x0a-\x1f\x7f]*$", max_length=8_000)]


class ExternalProxy(BaseModel):
    """A proxy of the caller's own."""

    type: Literal["external"] = "external"
    server: str
    username: str | None = None
    password: str | None = None
    bypass: str | None = None


class NotteProxy(BaseModel):
    """One of Notte's; with a place it is a matter of the cloud."""

    type: Literal["notte"] = "notte"
    id: str | None = None
    country: str | None = None
    city: str | None = None


class TailnetProxy(BaseModel):
    """A way into somebody's tailnet."""

    type: Literal["tailnet"]
    oauth_client_id: str | None = None
    oauth_client_secret: str | None = None
    exit_node: str | None = None


Proxy = Annotated[NotteProxy | ExternalProxy | TailnetProxy, Field(discriminator="type")]


class Profile(BaseModel):
    """A login state by its name; it is written back at the end where it is to persist."""

    id: str = Field(min_length=1)
    persist: bool = False


class StartBody(BaseModel):
    """`POST /sessions/start`, as SDK 1.10 knows it."""

    solve_captchas: bool = True
    max_duration_minutes: int = Field(default=MAX_MINUTES, gt=0, le=1_440)
    idle_timeout_minutes: int = Field(default=IDLE_MINUTES, gt=0, le=MAX_IDLE_MINUTES)
    proxies: list[Proxy] | bool = True
    browser_type: Literal["chromium", "chrome", "chrome-nightly", "chrome-turbo"] = "chromium"
    user_agent: str | None = None
    chrome_args: list[str] | None = None
    viewport_width: int | None = Field(default=None, ge=_LEAST_PX, le=4_000)
    viewport_height: int | None = Field(default=None, ge=_LEAST_PX, le=4_000)
    aspect_ratio: Literal["5:4", "16:9"] | None = None
    cdp_url: Annotated[str, Field(pattern=r"^(?:https?|wss?)://\S+$", max_length=4_000)] | None = None
    profile: Profile | None = None
    web_bot_auth: bool = False
    extra_http_headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=100)] | None = None
    vault_id: str | None = None
    auth_ids: list[str] | None = Field(default=None, max_length=10)
    wait_for_authentication: bool = True
    auth_retry: int = Field(default=0, ge=0, le=2)
    block_ads: bool = True
    advanced_stealth: bool = False
    screenshot_type: Literal["raw", "full", "last_action"] = "last_action"
    demonstrate: bool = False

    @model_validator(mode="after")
    def _fits(self) -> "StartBody":
        if (self.viewport_width is None) != (self.viewport_height is None):
            raise ValueError("viewport_width and viewport_height are given both or none")
        if self.aspect_ratio is not None and self.viewport_width is not None:
            raise ValueError("aspect_ratio is not given with a viewport")
        if self.cdp_url is not None and isinstance(self.proxies, list) and self.proxies:
            raise ValueError("proxies is not given with cdp_url: that browser has its own")
        if self.idle_timeout_minutes > self.max_duration_minutes:
            if "idle_timeout_minutes" in self.model_fields_set:
                raise ValueError("idle_timeout_minutes is more than max_duration_minutes")
            self.idle_timeout_minutes = self.max_duration_minutes
        return self


class StartBody19(StartBody):
    """The same as SDKs up to 1.9 know it."""

    idle_timeout_minutes: int = Field(
        default=IDLE_MINUTES,
        gt=0,
        le=MAX_IDLE_MINUTES,
        validation_alias=AliasChoices("idle_timeout_minutes", "timeout_minutes"),
    )
    headless: bool | None = None
    use_file_storage: bool | None = None


def spec_of(body: StartBody, defaults: Defaults) -> SessionSpec:
    """The session that is asked for. Raises: ApiFault (422, 501)."""
    width, height = defaults.viewport_width, defaults.viewport_height
    if body.viewport_width is not None and body.viewport_height is not None:
        width, height = body.viewport_width, body.viewport_height
    elif body.aspect_ratio is not None:
        width, height = _RATIOS[body.aspect_ratio]
    if body.vault_id is not None:
        raise not_served("Vaults live in the Notte cloud; leave vault_id out, and keep secrets in your own script.")
    headless = body.headless if isinstance(body, StartBody19) else None
    return SessionSpec(
        engine="local",
        cdp_url=body.cdp_url,
        headless=defaults.headless if headless is None else headless,
        viewport_width=width,
        viewport_height=height,
        user_agent=body.user_agent,
        proxy=_proxy(body.proxies),
        headers=body.extra_http_headers or {},
        profile=body.profile.id if body.profile is not None else None,
        save_profile=body.profile is not None and body.profile.persist,
        record=True,
        cloud=recorded(body),
        scripts_after_secrets=True,
        idle_timeout_minutes=body.idle_timeout_minutes,
        max_duration_minutes=body.max_duration_minutes,
    )


def recorded(body: StartBody) -> dict[str, Any]:
    """What the caller set, as it goes on record: of what may hold a password, only that it was given."""
    given = body.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {name: bool(value) if name in _SECRET else value for name, value in given.items()}


@contextmanager
def reached(spec: SessionSpec) -> Generator[None]:
    """A session is opened. Raises: ApiFault (422): nothing answers behind its `cdp_url`. After another fault than the
    caller's own an SDK would try again."""
    try:
        yield
    except BrowserLaunchFailed as error:
        if spec.cdp_url is None:
            raise
        raise wrong("body", "cdp_url", "value_error", f"{error.what} No session was started.") from error


def ignored(body: StartBody, *more: str) -> dict[str, str] | None:
    """The header that names the fields which the caller set to something that has no effect here, and `more`."""
    if named := sorted({*_ignored(body), *more}):
        return {IGNORED: ", ".join(named)}
    return None


def _ignored(body: StartBody) -> list[str]:
    fields = type(body).model_fields
    honoured = _HONOURED - (_OF_THEIR_BROWSER if body.cdp_url is not None else frozenset[str]())
    told = [
        name
        for name in body.model_fields_set
        if name not in honoured and getattr(body, name) not in (None, False, [], {}, fields[name].default)
    ]
    return [name for name in told if name != "proxies" or body.proxies is True]


def _proxy(given: list[Proxy] | bool) -> str | None:  # noqa: FBT001 - the contract's own form
    if isinstance(given, bool) or not given:
        return None
    if len(given) > 1:
        raise ApiFault(422, "One proxy at a time.")
    match given[0]:
        case ExternalProxy(server=server, username=username, password=password):
            parts = urlsplit(server if "://" in server else f"http://{server}")
            if username is None:
                return parts.geturl()
            login = f"{quote(username, safe='')}:{quote(password or '', safe='')}"
            return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}").geturl()
        case NotteProxy(id=None, country=None, city=None):
            return None
        case _:
            raise not_served(
                "Proxies of Notte's with a place, and tailnets, are the cloud's; give one of type `external`, or none."
            )
