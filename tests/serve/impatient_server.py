"""The scripted server with short deadlines, few places and small buffers, so that a test need not wait or fill much."""

import socket

from notte_mcp.http import address, connections, guard
from notte_mcp.http.intake import Intake
from notte_mcp.serve import serving
from tests.serve.scripted_server import main


def bind(host: str, port: int) -> socket.socket:
    """A socket whose connections (they inherit it) hold little of what is not read."""
    found = address.bind(host, port)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
    return found


SHORT = {
    connections: {"HEAD_S": 0.6, "STALL_S": 0.6, "IDLE_S": 5, "MAX_CONNECTIONS": 24},
    guard: {"JSON_ONLY": Intake(within_s=0.6), "MAX_REQUESTS_EACH": 3},
    serving: {"bind": bind},
}

if __name__ == "__main__":
    for module, values in SHORT.items():
        for name, value in values.items():
            assert hasattr(module, name), name
            setattr(module, name, value)
    main()
