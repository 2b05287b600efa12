"""Every endpoint of the contract, and what becomes of it here: the one table that the answers and docs/notte.md come of.

`served` is as the contract says, with what is particular to a machine of one's own; `mapped` stands on something of ours
that is not quite the same; `absent` is answered with 501 and the reason. Source: the contract of SDK 1.10, and what older
SDKs call besides.

Below: nothing. Above: absent, scripts.
"""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of them. `note` says what is particular, or why it is not there."""

    method: str
    path: str
    how: Literal["served", "mapped", "absent"]
    note: str = ""


_FUNCTIONS: Final = (
    "functions are scripts that are stored and run at Notte's; here workflows are kept and run by notte_run_workflow"
)
_VAULTS: Final = (
    "a vault keeps secrets at Notte's; here they stand in the environment of the server or in your own script"
)
_PERSONAS: Final = "a persona is a mailbox and a phone number of Notte's"
_SECRETS: Final = "these secrets are kept at Notte's; here they stand in the environment of the server"

CONTRACT: Final = (
    Endpoint("GET", "/health", "served", "without the key"),
    Endpoint("GET", "/ready", "served", "without the key"),
    Endpoint(
        "POST",
        "/sessions/start",
        "served",
        "what means nothing on one's own machine (captchas, stealth, ad blocking, Notte's proxies) is echoed and named in the header x-notte-mcp-ignored; vaults, proxies with a place and tailnets are refused",
    ),
    Endpoint("GET", "/sessions", "served"),
    Endpoint("GET", "/sessions/{session_id}", "served", "cdp_url is null: browsers are driven by a pipe"),
    Endpoint("DELETE", "/sessions/{session_id}/stop", "served", "idempotent"),
    Endpoint("GET", "/sessions/{session_id}/cookies", "served", "of a live session"),
    Endpoint("POST", "/sessions/{session_id}/cookies", "served", "of a live session"),
    Endpoint(
        "GET", "/sessions/{session_id}/debug", "served", "ws.cdp closes with a reason; debug_url is the live view"
    ),
    Endpoint("GET", "/sessions/{session_id}/debug/tab", "served"),
    Endpoint("GET", "/sessions/{session_id}/offset", "served"),
    Endpoint("GET", "/sessions/{session_id}/steps", "served"),
    Endpoint("GET", "/sessions/{session_id}/replay", "served", "an MP4 at an address of this API with a token; no HLS"),
    Endpoint(
        "GET",
        "/sessions/{session_id}/replay/mouse",
        "absent",
        "the pointer is in the video, and is not recorded by itself",
    ),
    Endpoint(
        "GET",
        "/sessions/{session_id}/network/logs",
        "absent",
        "what a page asks of the network is not recorded; a step's failed requests are told with it",
    ),
    Endpoint("GET", "/sessions/{session_id}/workflow/code", "served", "the script of our own exports, target notte"),
    Endpoint(
        "GET",
        "/sessions/{session_id}/auth",
        "mapped",
        "active while the session is, since nothing is signed in by itself",
    ),
    Endpoint(
        "GET",
        "/sessions/{session_id}/profile-preview",
        "mapped",
        "of the session's own profile, and the domains of its cookies",
    ),
    Endpoint("POST", "/sessions/{session_id}/profile/save", "mapped", "into a profile of the state folder"),
    Endpoint("POST", "/sessions/{session_id}/payments", "absent", "payments go through Notte's accounts"),
    Endpoint(
        "POST",
        "/sessions/{session_id}/page/observe",
        "served",
        "every element of the page has an id, not only those in the viewport",
    ),
    Endpoint("POST", "/sessions/{session_id}/page/execute", "served"),
    Endpoint("POST", "/sessions/{session_id}/page/scrape", "served"),
    Endpoint("POST", "/sessions/{session_id}/page/screenshot", "served"),
    Endpoint("POST", "/sessions/{session_id}/page/execute/file", "served"),
    Endpoint("POST", "/scrape", "served", "in a session of its own, which ends with it"),
    Endpoint("POST", "/scrape_from_html", "absent", "scraping needs a page; put the HTML behind a URL"),
    Endpoint("GET", "/sessions/{session_id}/files", "served"),
    Endpoint("POST", "/sessions/{session_id}/files", "served"),
    Endpoint("GET", "/sessions/{session_id}/files/{file_id}", "served"),
    Endpoint("DELETE", "/sessions/{session_id}/files/{file_id}", "served"),
    Endpoint("GET", "/storage/uploads", "absent", "a file belongs to a session: POST /sessions/{session_id}/files"),
    Endpoint(
        "POST",
        "/storage/uploads/{filename}",
        "absent",
        "a file belongs to a session: POST /sessions/{session_id}/files",
    ),
    Endpoint(
        "GET", "/storage/uploads/{filename}", "absent", "a file belongs to a session: GET /sessions/{session_id}/files"
    ),
    Endpoint("GET", "/storage/{session_id}/downloads", "mapped", "the session's files"),
    Endpoint("POST", "/storage/{session_id}/downloads/{filename}", "mapped", "the session's files"),
    Endpoint("GET", "/storage/{session_id}/downloads/{filename}", "mapped", "the session's files"),
    Endpoint("GET", "/agents", "served"),
    Endpoint(
        "POST",
        "/agents/start",
        "served",
        "reasoning_model is recorded; the configured model runs, and without one it is a 422",
    ),
    Endpoint(
        "POST",
        "/agents/start/custom",
        "absent",
        "the contract leaves it open what such an agent is; POST /agents/start runs ours",
    ),
    Endpoint("GET", "/agents/{agent_id}", "served", "steps in the shape of the contract that was chosen"),
    Endpoint("DELETE", "/agents/{agent_id}/stop", "served"),
    Endpoint("GET", "/agents/{agent_id}/workflow/code", "served"),
    Endpoint(
        "GET",
        "/agents/{agent_id}/replay",
        "absent",
        "gone from the contract in March 2026; the session's replay shows the agent",
    ),
    Endpoint("POST", "/anything/start", "absent", "it is Notte's marketplace of ready-made functions"),
    Endpoint("GET", "/functions", "absent", _FUNCTIONS),
    Endpoint("POST", "/functions", "absent", _FUNCTIONS),
    Endpoint("GET", "/functions/{function_id}", "absent", _FUNCTIONS),
    Endpoint("POST", "/functions/{function_id}", "absent", _FUNCTIONS),
    Endpoint("PATCH", "/functions/{function_id}", "absent", _FUNCTIONS),
    Endpoint("DELETE", "/functions/{function_id}", "absent", _FUNCTIONS),
    Endpoint("POST", "/functions/{function_id}/fork", "absent", _FUNCTIONS),
    Endpoint("POST", "/functions/{function_id}/rollback", "absent", _FUNCTIONS),
    Endpoint("GET", "/functions/{function_id}/runs", "absent", _FUNCTIONS),
    Endpoint("POST", "/functions/{function_id}/runs/start", "absent", _FUNCTIONS),
    Endpoint("GET", "/functions/{function_id}/runs/{run_id}", "absent", _FUNCTIONS),
    Endpoint("PATCH", "/functions/{function_id}/runs/{run_id}", "absent", _FUNCTIONS),
    Endpoint("DELETE", "/functions/{function_id}/runs/{run_id}", "absent", _FUNCTIONS),
    Endpoint("POST", "/functions/{function_id}/schedule", "absent", _FUNCTIONS),
    Endpoint("DELETE", "/functions/{function_id}/schedule", "absent", _FUNCTIONS),
    Endpoint("GET", "/functions/health", "absent", _FUNCTIONS),
    Endpoint("POST", "/functions/{function_id}/runs/{run_id}/payloads/{field}/upload", "absent", _FUNCTIONS),
    Endpoint("GET", "/functions/{function_id}/runs/{run_id}/payloads/{field}", "absent", _FUNCTIONS),
    Endpoint("GET", "/vaults", "absent", _VAULTS),
    Endpoint("POST", "/vaults/create", "absent", _VAULTS),
    Endpoint("GET", "/vaults/{vault_id}", "absent", _VAULTS),
    Endpoint("PATCH", "/vaults/{vault_id}", "absent", _VAULTS),
    Endpoint("DELETE", "/vaults/{vault_id}", "absent", _VAULTS),
    Endpoint("GET", "/vaults/{vault_id}/credentials", "absent", _VAULTS),
    Endpoint("POST", "/vaults/{vault_id}/credentials", "absent", _VAULTS),
    Endpoint("DELETE", "/vaults/{vault_id}/credentials", "absent", _VAULTS),
    Endpoint("GET", "/vaults/{vault_id}/card", "absent", _VAULTS),
    Endpoint("POST", "/vaults/{vault_id}/card", "absent", _VAULTS),
    Endpoint("DELETE", "/vaults/{vault_id}/card", "absent", _VAULTS),
    Endpoint("GET", "/personas", "absent", _PERSONAS),
    Endpoint("POST", "/personas/create", "absent", _PERSONAS),
    Endpoint("GET", "/personas/{persona_id}", "absent", _PERSONAS),
    Endpoint("PATCH", "/personas/{persona_id}", "absent", _PERSONAS),
    Endpoint("DELETE", "/personas/{persona_id}", "absent", _PERSONAS),
    Endpoint("GET", "/personas/{persona_id}/emails", "absent", _PERSONAS),
    Endpoint("GET", "/personas/{persona_id}/sms", "absent", _PERSONAS),
    Endpoint("GET", "/profiles", "mapped", "the profiles of the state folder"),
    Endpoint("POST", "/profiles/create", "mapped", "an empty profile of the state folder"),
    Endpoint("GET", "/profiles/{profile_id}", "mapped", "by its name in the state folder, too"),
    Endpoint("DELETE", "/profiles/{profile_id}", "mapped", "unless a session holds it"),
    Endpoint("GET", "/profiles/{profile_id}/cookies", "mapped"),
    Endpoint("POST", "/profiles/{profile_id}/cookies", "mapped", "unless a session holds it"),
    Endpoint("POST", "/profiles/{profile_id}/duplicate", "mapped", "into a new profile of the state folder"),
    Endpoint(
        "POST",
        "/profiles/{profile_id}/state",
        "absent",
        "set cookies in a session that holds the profile and persists it",
    ),
    Endpoint("POST", "/search", "absent", "it is a search engine of Notte's"),
    Endpoint("GET", "/secrets", "absent", _SECRETS),
    Endpoint("POST", "/secrets", "absent", _SECRETS),
    Endpoint("GET", "/secrets/{name}", "absent", _SECRETS),
    Endpoint("DELETE", "/secrets/{secret_id}", "absent", _SECRETS),
    Endpoint("GET", "/usage", "mapped", "counts sessions; nothing costs anything"),
    Endpoint("GET", "/usage/logs", "absent", "calls are not kept; the log on stderr tells what went wrong"),
)
