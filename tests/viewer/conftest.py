"""The live view that tests of one file share, and who looks at it: both in the Chromium of the test process."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser

from tests.browsers import Browsers
from tests.viewer.viewing import Viewing, viewing


@pytest.fixture(scope="module")
async def shown(tmp_path_factory: pytest.TempPathFactory, browsers: Browsers) -> AsyncGenerator[Viewing]:
    async with viewing(tmp_path_factory.mktemp("state"), None, {"local": browsers.engine()}) as one:
        yield one


@pytest.fixture(scope="module")
async def browser(browsers: Browsers) -> Browser:
    """Where the person's pages are, in contexts of their own."""
    return (await browsers.home()).browser
