"""Where a session is watched: the live view for people, the WebSockets of its log and its picture, its tabs.

The token in these addresses shows this session and no more than shows it. There is no CDP address: a browser here is
driven by a pipe, so that nothing on the machine can take it over; its WebSocket is there to say so.

Below: calls; app. Above: routes.
"""

from typing import Any, Final

from starlette.responses import Response

from notte_mcp.api.calls import ApiCall, ApiRoute, answer
from notte_mcp.api.faults import ApiFault
from notte_mcp.observations import Tab


async def _debug(call: ApiCall) -> Response:
    record = await call.app.registry.record(call.path("session_id"))
    token = call.keys.viewer_token(record.id)
    at = f"{call.ws_base}/sessions/{record.id}/debug"
    ws = {what: f"{at}/{what}?token={token}" for what in ("cdp", "recording", "logs")}
    tabs = [_tab(call, record.id, tab, token) for tab in call.app.registry.tabs(record.id)]
    return answer({"debug_url": call.app.view_url(record.id) or "", "ws": ws, "tabs": tabs})


async def _debug_tab(call: ApiCall) -> Response:
    record = await call.app.registry.record(call.path("session_id"))
    tabs, index = call.app.registry.tabs(record.id), call.number("tab_idx", 0, least=0)
    if index >= len(tabs):
        raise ApiFault(404, f"Not Found: session {record.id} has {len(tabs)} tabs, and none of index {index}.")
    return answer(_tab(call, record.id, tabs[index], call.keys.viewer_token(record.id)))


def _tab(call: ApiCall, session_id: str, tab: Tab, token: str) -> dict[str, Any]:
    return {
        "metadata": {"tab_id": tab.index, "title": tab.title, "url": tab.url},
        "debug_url": call.app.view_url(session_id) or "",
        "ws_url": f"{call.ws_base}/sessions/{session_id}/debug/tabs/{tab.index}?token={token}",
    }


ROUTES: Final = (
    ApiRoute("GET", "/sessions/{session_id}/debug", _debug),
    ApiRoute("GET", "/sessions/{session_id}/debug/tab", _debug_tab),
)
