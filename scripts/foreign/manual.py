"""A Sphinx documentation on loopback: a few pages of ours, built with Sphinx's default theme and its search.

Below: serving, Sphinx as a subprocess. Above: manual_flow, __main__.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

from scripts.foreign.serving import Files

_CONF: Final = 'project = "Kiln"\nauthor = "The potters"\nversion = release = "2.1"\nextensions = []\n'

_INDEX: Final = """\
Kiln
====

How to fire clay, from the first drying to the last glaze.

.. toctree::
   :maxdepth: 2

   drying
   firing
   glazes
"""

_DRYING: Final = """\
Drying
======

A pot dries slowly and evenly, or it cracks.

Leather hard
------------

At this point handles are joined with slip.

Bone dry
--------

Only what is bone dry may go into the kiln.
"""

_FIRING: Final = """\
Firing
======

Earthenware is fired twice: the bisque firing, then the glaze firing.

Bisque
------

The first firing goes to cone 06. A pyrometer shows the temperature.

Cooling
-------

The kiln stays closed until the pyrometer falls below 100 degrees.
"""

_GLAZES: Final = """\
Glazes
======

Celadon
-------

Celadon is a green glaze that wants reduction.

Tenmoku
-------

Tenmoku is a dark glaze, rich in iron.
"""

_PAGES: Final = {"index": _INDEX, "drying": _DRYING, "firing": _FIRING, "glazes": _GLAZES}


def build(folder: Path) -> Path:
    """Write the sources into the folder and build them; where the pages are.

    Raises:
        RuntimeError: Sphinx refused; with what it said.
    """
    source, built = folder / "source", folder / "html"
    source.mkdir(parents=True)
    (source / "conf.py").write_text(_CONF, encoding="utf-8")
    for name, text in _PAGES.items():
        (source / f"{name}.rst").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(source), str(built)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"Sphinx did not build:\n{done.stderr}")
    return built


class Manual(Files):
    """The open documentation; built into `folder` when it is made."""

    def __init__(self, folder: Path) -> None:
        super().__init__(build(folder))
