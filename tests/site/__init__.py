"""A small site on loopback for tests: see `server.py` for what it is, `pages/` for its pages."""

from tests.site.server import Site
from tests.site.uploads import Submission, Upload

__all__ = ["Site", "Submission", "Upload"]
