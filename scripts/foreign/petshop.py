"""Swagger UI on loopback, as its package bundles it, with a small API behind it that really answers.

Below: serving, swagger_ui_bundle. Above: petshop_flow, __main__.
"""

import json
from importlib import import_module
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from scripts.foreign.serving import Files

_START: Final = """\
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl], layout: "StandaloneLayout",
  });
};
"""

_ID: Final = {
    "name": "petId",
    "in": "path",
    "required": True,
    "schema": {"type": "integer"},
    "description": "Its number",
}
_STATUS: Final = {
    "name": "status", "in": "query", "description": "Only these",
    "schema": {"type": "string", "enum": ["available", "sold"], "default": "available"},
}  # fmt: skip
_LIMIT: Final = {"name": "limit", "in": "query", "description": "At most so many", "schema": {"type": "integer"}}
_BODY: Final = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}},
}
_ANSWER: Final = {"200": {"description": "Done"}}

OPENAPI: Final[dict[str, Any]] = {
    "openapi": "3.0.3",
    "info": {"title": "Pet shop", "version": "1.0.0"},
    "paths": {
        "/pets": {
            "get": {"tags": ["pets"], "summary": "List pets", "operationId": "listPets", "parameters": [_STATUS, _LIMIT], "responses": _ANSWER},
            "post": {"tags": ["pets"], "summary": "Add a pet", "operationId": "addPet", "requestBody": _BODY, "responses": _ANSWER},
        },
        "/pets/{petId}": {
            "get": {"tags": ["pets"], "summary": "One pet", "operationId": "getPet", "parameters": [_ID], "responses": _ANSWER},
        },
    },
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "example": "Rex"},
                    "status": {"type": "string", "enum": ["available", "sold"], "example": "available"},
                },
            }
        }
    },
}  # fmt: skip


class PetShop(Files):
    """The open page and its API. `calls` are the API's requests, with their bodies."""

    def __init__(self) -> None:
        # It has no types, and is not there where only the package is.
        super().__init__(import_module("swagger_ui_bundle").swagger_ui_path)
        self.pets: list[dict[str, Any]] = [
            {"id": 1, "name": "Basil", "status": "available"},
            {"id": 2, "name": "Sorrel", "status": "sold"},
        ]

    @property
    def calls(self) -> list[tuple[str, str]]:
        """What the API was asked, as `POST /pets`, with the body."""
        return [(what, body) for what, body in self.asked if " /pets" in what]

    def answer(self, method: str, path: str, body: str) -> tuple[int, str, str] | None:
        parts = urlsplit(path)
        match method, parts.path.strip("/").split("/"):
            case "GET", ["swagger-initializer.js"]:
                return 200, "text/javascript", _START
            case "GET", ["openapi.json"]:
                return 200, "application/json", json.dumps(OPENAPI)
            case "GET", ["pets"]:
                return self._listed(parse_qs(parts.query))
            case "POST", ["pets"]:
                return self._added(body)
            case "GET", ["pets", number]:
                found = next((pet for pet in self.pets if str(pet["id"]) == number), None)
                return _json(200, found) if found else _json(404, {"error": "no such pet"})
            case _:
                return None

    def _listed(self, query: dict[str, list[str]]) -> tuple[int, str, str]:
        status, limit = query.get("status", [""])[0], int(query.get("limit", ["99"])[0])
        return _json(200, [pet for pet in self.pets if status in ("", pet["status"])][:limit])

    def _added(self, body: str) -> tuple[int, str, str]:
        try:
            given = json.loads(body)
        except ValueError:
            return _json(400, {"error": "no JSON"})
        pet = {"id": len(self.pets) + 1, "name": given["name"], "status": given.get("status", "available")}
        self.pets.append(pet)
        return _json(201, pet)


def _json(status: int, value: object) -> tuple[int, str, str]:
    return status, "application/json", json.dumps(value)
