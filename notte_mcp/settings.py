"""Settings: read once, frozen, and the only reader of the environment.

Order of precedence: command line flags, `NOTTE_MCP_*` environment variables, one
TOML file (`config.toml` in the user's configuration folder). A value that does not fit ends the start with a sentence; an unknown key
in the file does too, since a misspelt setting that is ignored is worse.

Settings stop at `app`: nothing below is handed this object, only the values.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Self

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from notte_mcp.settings_wrong import PREFIX, does_not_fit, nearest, no_json

OWNER: Final = "owner"
"""The name over HTTP of whose state folder it is."""

MIN_TOKEN_CHARS: Final = 16
"""A shorter token can be guessed."""

_OTHERS: Final = frozenset({"NOTTE_MCP_KEEPER", "NOTTE_MCP_STORAGE_STATE", "NOTTE_MCP_TOKEN"})
"""Variables with our prefix that are no settings: the relay's, a written script's, a client's."""

_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_TOKEN: Final = re.compile(rf"(?=.{{{MIN_TOKEN_CHARS}}})[A-Za-z0-9\-._~+/]+=*")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def default_state_dir() -> Path:
    """Where state is kept unless told otherwise: the user's data folder for this program."""
    return Path(platformdirs.user_data_dir("notte-mcp", appauthor=False))


def default_config_file() -> Path:
    """Where the TOML file is looked for."""
    return Path(platformdirs.user_config_dir("notte-mcp", appauthor=False)) / "config.toml"


def strangers(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables of this environment that look like settings and are none, each with the name that it may be meant for
    ("" where none is near)."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | _OTHERS
    found = sorted(name for name in environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    return [(name, nearest(name.upper(), known)) for name in found]


class SettingsWrong(Exception):
    """A setting does not fit, or the settings cannot be read; the text is a sentence that says which."""


class _Elsewhere(NamedTuple):
    """Another process's environment, its TOML file, and the folder in which its paths begin."""

    environ: Mapping[str, str]
    config: Path
    folder: Path


_elsewhere: ContextVar[_Elsewhere | None] = ContextVar("elsewhere", default=None)


def _from_here(path: Path) -> Path:
    """As the process means it whose settings these are."""
    path = path.expanduser()
    return (other.folder / path if (other := _elsewhere.get()) is not None else path).absolute()


def _theirs(*names: str) -> AliasChoices:
    """A provider's own environment names for a setting, behind ours; in the file it is called as it is here."""
    return AliasChoices(f"notte_mcp_{names[0]}".upper(), *names, names[0].lower())


class Settings(BaseSettings):
    """Every setting. Times in minutes or days as named, sizes in bytes or px.

    A model's key and address are found by the names that its provider gives them, too.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        validate_default=True,
        populate_by_name=True,
    )

    state_dir: Path = Field(default_factory=default_state_dir)
    """All state: database, session folders, profiles, run folders of live servers."""

    browser: Path | None = None
    """The browser's executable; None looks for one."""

    no_sandbox: bool = False
    """Run Chromium without its sandbox: the only way to run it as root, and said aloud."""

    engine: Literal["local", "notte"] = "local"
    headless: bool = True
    viewport_width: int = Field(default=1280, ge=100, le=4_000)
    viewport_height: int = Field(default=800, ge=100, le=4_000)

    max_sessions: int = Field(default=16, ge=1, le=256)
    """Live sessions of one server."""

    max_tabs: int = Field(default=10, ge=1, le=100)
    """Tabs of one session; a page that opens more has them closed."""

    max_steps_per_session: int = Field(default=20_000, ge=1)
    """Steps of one session."""

    max_download_bytes: int = Field(default=200_000_000, ge=1)
    """Bytes of all downloads of one browser that run at the same time."""

    max_session_bytes: int = Field(default=1_000_000_000, ge=1)
    """Bytes of all files of one session."""

    max_session_files: int = Field(default=1_000, ge=1)
    """Files of one session."""

    max_upload_bytes: int = Field(default=200_000_000, ge=1)
    """Bytes of one file that a page is given."""

    max_page_mb: int = Field(default=2_000, ge=50)
    """Megabytes of memory of one page's process; one above it is ended."""

    max_browser_mb: int = Field(default=6_000, ge=200)
    """Megabytes of memory of a browser with all its pages; above it the largest page is ended."""

    max_state_bytes: int = Field(default=20_000_000_000, ge=1)
    """Bytes of the whole state folder; nothing large is begun above it."""

    min_free_bytes: int = Field(default=200_000_000, ge=0)
    """Bytes that stay free on the state folder's disk."""

    record: bool = False
    """Whether sessions are filmed, where their caller says nothing. It costs a form some 15 % of its time."""

    max_replay_bytes: int = Field(default=60_000_000, ge=100_000)
    """Bytes of one session's film."""

    max_replay_minutes: float = Field(default=120, gt=0)
    """Minutes of one session's life that are filmed."""

    max_replays_bytes: int = Field(default=2_000_000_000, ge=0)
    """Bytes of all films and what was made of them; above it the oldest of ended sessions go first."""

    keep_replays_days: float = Field(default=30, gt=0)
    """Days that a film stays after its session's end, as long as the session does."""

    viewer: bool = True
    """Whether a page on loopback shows live sessions to who has its address."""

    viewer_port: int = Field(default=0, ge=0, le=65_535)
    """Its port; 0 is any free one."""

    idle_timeout_minutes: float = Field(default=15, gt=0, le=24 * 60)
    max_duration_minutes: float = Field(default=240, gt=0, le=7 * 24 * 60)
    keep_days: float = Field(default=30, gt=0)
    """Days that ended sessions stay readable."""

    upload_dirs: tuple[Path, ...] = ()
    """Folders whose files a page may be given, besides each session's own."""

    model: str | None = None
    """The model that drives agents: `anthropic:...`, `openai:...`, `openai-chat:...`, `google:...`, `ollama:...`."""

    anthropic_api_key: SecretStr | None = Field(default=None, validation_alias=_theirs("ANTHROPIC_API_KEY"))
    anthropic_base_url: str | None = Field(default=None, validation_alias=_theirs("ANTHROPIC_BASE_URL"))
    openai_api_key: SecretStr | None = Field(default=None, validation_alias=_theirs("OPENAI_API_KEY"))
    openai_base_url: str | None = Field(default=None, validation_alias=_theirs("OPENAI_BASE_URL"))
    google_api_key: SecretStr | None = Field(default=None, validation_alias=_theirs("GOOGLE_API_KEY", "GEMINI_API_KEY"))
    ollama_base_url: str | None = Field(default=None, validation_alias=_theirs("OLLAMA_BASE_URL"))

    notte_api_key: SecretStr | None = Field(default=None, validation_alias=_theirs("NOTTE_API_KEY"))
    """The key of the Notte cloud, for sessions that ask for it; by itself it sends nothing there."""

    notte_api_url: str = Field(default="https://api.notte.cc", validation_alias=_theirs("NOTTE_API_URL"))

    api_host: str = "127.0.0.1"
    """The address that `notte-mcp api` listens on; beyond loopback it needs a key and allowed hosts from you."""

    api_port: int = Field(default=8788, ge=0, le=65_535)
    """Its port; 0 is any free one."""

    api_key: SecretStr | None = None
    """Its key; without one, one is made in the state folder."""

    api_allowed_hosts: tuple[str, ...] = ()
    """Whole Host headers by which it may be called besides those of loopback."""

    api_contract: Literal["1.9", "1.10"] | None = None
    """The Notte contract that it speaks: that of SDK 1.10 (strict bodies) or of 1.9 (agents as these know them). Without
    it, that of the SDK that asks, by the version it says; 1.10 for whoever says none."""

    max_agents: int = Field(default=16, ge=1, le=256)
    """Live agents of one server."""

    keeper_idle_minutes: float = Field(default=5, gt=0, le=24 * 60)
    """Minutes that a keeper stays with nothing live and nobody connected, and that a session without an agent stays
    in it once nobody is connected who used it."""

    http_host: str = "127.0.0.1"
    """The address that `notte-mcp serve` listens on; beyond loopback it needs a token and allowed hosts from you."""

    http_port: int = Field(default=8765, ge=0, le=65_535)
    """Its port; 0 is any free one."""

    http_allowed_hosts: tuple[str, ...] = ()
    """Whole Host headers (`mcp.example.com`, with `:PORT` where the URL has one) besides those of loopback."""

    http_allowed_origins: tuple[str, ...] = ()
    """Origins (`https://app.example.com`) whose web pages may call it."""

    http_token: SecretStr | None = None
    """The bearer token of the state folder's owner over HTTP; without one, one is made in the state folder."""

    http_tokens: dict[str, SecretStr] = Field(default_factory=dict[str, SecretStr])
    """Names and their tokens: each has sessions, agents and files of its own, and sees nobody else's."""

    for_others: bool = False
    """Callers are not this machine's user: they get no secret of the environment, and no plan of a model out of a
    file. So it is for named principals, always."""

    http_max_sessions: int = Field(default=32, ge=1, le=1_024)
    """Live sessions of all names together; `max_sessions` is for each."""

    http_max_agents: int = Field(default=32, ge=1, le=1_024)
    """Live agents of all names together; `max_agents` is for each."""

    log_level: Literal["debug", "info", "warning", "error"] = "warning"

    @field_validator("state_dir", "browser", mode="after")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else _from_here(value)

    @field_validator("upload_dirs", mode="after")
    @classmethod
    def _all_absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(map(_from_here, value))

    @field_validator("http_allowed_hosts", "api_allowed_hosts", mode="after")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := next((host for host in value if not _HOST.fullmatch(host)), None):
            raise ValueError(
                f"`{wrong}` is no host; it is wanted as it stands in the URL between :// and the path, such as "
                "mcp.example.com or mcp.example.com:8443"
            )
        return value

    @field_validator("http_token", "api_key", mode="after")
    @classmethod
    def _is_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError(f"a token has at least {MIN_TOKEN_CHARS} characters, of those that RFC 6750 allows")
        return value

    @field_validator("http_tokens", mode="after")
    @classmethod
    def _are_tokens(cls, value: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        owners: SecretStr | None = info.data.get("http_token")
        if not all(map(_NAME.fullmatch, value)):
            # Not repeated: who took one for the other wrote a token there.
            raise ValueError("a name is made of up to 32 lower-case letters, digits, - and _")
        if OWNER in value and owners is not None:
            raise ValueError(f"`{OWNER}` has its token from http_token already")
        given = [cls._is_token(secret) for secret in (*value.values(), *filter(None, [owners]))]
        if len(given) != len(set(given)):
            raise ValueError("two names have the same token")
        return value

    @property
    def database(self) -> Path:  # not cached: a copy with another `state_dir` would keep it
        return self.state_dir / "notte-mcp.sqlite"

    @cached_property
    def endpoints(self) -> dict[str, tuple[str | None, str | None]]:
        """(key, address) of each provider of models, in the clear."""

        def key(secret: SecretStr | None) -> str | None:
            return None if secret is None else secret.get_secret_value()

        return {
            "anthropic": (key(self.anthropic_api_key), self.anthropic_base_url),
            "openai": (key(self.openai_api_key), self.openai_base_url),
            "google": (key(self.google_api_key), None),
            "ollama": (None, self.ollama_base_url),
        }

    @classmethod
    def read(
        cls,
        flags: Mapping[str, Any],
        *,
        environ: Mapping[str, str] | None = None,
        config: Path | None = None,
        folder: Path | None = None,
    ) -> Self:
        """The settings that these flags stand above; with the others, as another process would read them.

        Raises:
            SettingsWrong.
        """
        other = _Elsewhere(environ or {}, config or default_config_file(), folder or Path())
        token = _elsewhere.set(other if environ is not None else None)
        try:
            return cls(**flags)
        except ValidationError as error:
            raise SettingsWrong(does_not_fit(error, other.config, Settings.model_fields)) from error
        except SettingsError as error:
            raise SettingsWrong(no_json(str(error))) from error
        except (ValueError, OSError) as error:
            raise SettingsWrong(f"the settings in {other.config} cannot be read: {error}.") from error
        finally:
            _elsewhere.reset(token)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the TOML file; no `.env`, since a host's folder is not ours."""
        del dotenv_settings, file_secret_settings
        config = default_config_file()
        if (other := _elsewhere.get()) is not None and isinstance(env_settings, EnvSettingsSource):
            # As it reads its own: by lower-case names, and nothing that is empty.
            env_settings.env_vars = {name.lower(): value for name, value in other.environ.items() if value}
            config = other.config
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config)
