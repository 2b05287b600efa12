"""What a request costs in tokens, where no provider counts them.

Below: base, observations. Above: scripted, exchange.
"""

from typing import Final

from notte_mcp.models.base import ChatRequest
from notte_mcp.observations import estimate_tokens

IMAGE_TOKENS: Final = 1_000
"""What an image is reckoned at."""


def tokens_of(request: ChatRequest) -> int:
    """About how many tokens a request costs, its schema left out."""
    texts = estimate_tokens(request.system) + sum(estimate_tokens(message.text) for message in request.messages)
    return texts + IMAGE_TOKENS * sum(message.image is not None for message in request.messages)
