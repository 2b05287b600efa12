"""The values of one run: what was given, what was recorded, and the secrets from where they may come from.

Pure. All of it is found before anything is started, so that what is missing is told at once.

Below: refusals, workflows. Above: runs, steps, scripts, healing.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from notte_mcp.caller import caller
from notte_mcp.runs import refusals
from notte_mcp.workflows import Parameter


@dataclass(frozen=True, slots=True)
class Values:
    """What one run types: `texts` by the parameter's name, secrets among them; `secrets` by the NAME of their
    environment variable; `given` are those that take the place of a recorded value and are no secrets. `files` holds
    by the parameter's name what it uploads of the recorded session's files: `texts` has the name there."""

    texts: dict[str, str]
    secrets: dict[str, str]
    given: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])


def resolve(
    parameters: tuple[Parameter, ...],
    given: Mapping[str, object],
    *,
    typed: Mapping[str, str],
    environment: Mapping[str, str],
    files: Collection[str] = (),
    verified: str | None = None,
) -> Values:
    """A value for each parameter: given, else (a secret) `typed` in its session or in the `environment`, else
    recorded. A file is a path, or one of the recorded session's `files`, whose bytes are for the caller to read.
    `verified` is the id or name of what is verified, which takes no parameters.

    Raises:
        InvalidArgument: one is unknown, no text, no file, or has no value.
    """
    names = {parameter.name for parameter in parameters}
    if unknown := given.keys() - names:
        raise refusals.unknown_parameters(unknown, parameters)
    values = Values({}, {}, {})
    for parameter in parameters:
        asked = _text(parameter, given[parameter.name]) if parameter.name in given else None
        if parameter.secret:
            name = parameter.env or parameter.name
            text = asked or typed.get(name) or environment.get(name)
            if not text:
                raise refusals.no_secret(parameter, verified)
            values.secrets[name] = text
        else:
            text = _plain(parameter, asked, files, verified)
            if parameter.type == "path" and text in files:
                values.files[parameter.name] = b""
            if asked is not None:
                values.given[parameter.name] = text
        values.texts[parameter.name] = text
    return values


def _plain(parameter: Parameter, asked: str | None, files: Collection[str], verified: str | None) -> str:
    text = asked if asked is not None else parameter.default
    if text is None:
        raise refusals.no_value(parameter, verified)
    if parameter.type != "path" or text in files:
        return text
    path = caller().path(text)
    if not path.is_file():
        raise refusals.no_file(parameter.name, text, verified)
    # A script stands in a folder of its own.
    return str(path.absolute())


def _text(parameter: Parameter, value: object) -> str:
    """What JSON may hold where a text is due."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise refusals.no_text(parameter.name, value)
