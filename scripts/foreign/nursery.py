"""Django's admin on loopback: a project of one app in a folder of its own, served by a process of its own.

The admin is Django's, as its package ships it; ours is a model with a field of each usual
kind. What arrived is read from the database file.

Below: Django, started as a subprocess. Above: admin_flow, __main__.
"""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

USER: Final = "keeper"
PASSWORD: Final = "moss-and-fern-7"  # noqa: S105 - of a site that lives for seconds

_SETTINGS: Final = """\
from pathlib import Path

HERE = Path(__file__).parent
DEBUG = True
SECRET_KEY = "only-on-loopback"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles", "plants",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]},
}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "plants.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
TIME_ZONE = "UTC"
USE_TZ = True
"""

_URLS: Final = """\
from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
"""

_MODELS: Final = """\
from django.db import models


class Genus(models.Model):
    name = models.CharField(max_length=60)

    class Meta:
        verbose_name_plural = "genera"

    def __str__(self):
        return self.name


class Plant(models.Model):
    name = models.CharField(max_length=60)
    genus = models.ForeignKey(Genus, on_delete=models.CASCADE)
    light = models.CharField(max_length=8, choices=[("sun", "Full sun"), ("half", "Half shade"), ("shade", "Shade")])
    height_cm = models.PositiveIntegerField("height in cm")
    price = models.DecimalField(max_digits=7, decimal_places=2)
    planted = models.DateField()
    evergreen = models.BooleanField(default=False)
    notes = models.TextField(blank=True)

    def __str__(self):
        return self.name
"""

_ADMIN: Final = """\
from django.contrib import admin

from plants.models import Genus, Plant

admin.site.register(Genus)


@admin.register(Plant)
class PlantAdmin(admin.ModelAdmin):
    list_display = ["name", "genus", "light", "price"]
    list_filter = ["light", "evergreen"]
    search_fields = ["name", "notes"]
"""

_SERVE: Final = """\
import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()

from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.servers.basehttp import run
from django.core.wsgi import get_wsgi_application

from plants.models import Genus, Plant

call_command("migrate", run_syncdb=True, verbosity=0)
User.objects.create_superuser(os.environ["SITE_USER"], "keeper@example.org", os.environ["SITE_PASSWORD"])
fern, moss = (Genus.objects.create(name=name) for name in ("Polystichum", "Hypnum"))
Plant.objects.create(name="Soft shield fern", genus=fern, light="half", height_cm=90, price="11.50", planted="2024-03-01")
Plant.objects.create(name="Cypress moss", genus=moss, light="shade", height_cm=3, price="4.20", planted="2024-04-01")
application = StaticFilesHandler(get_wsgi_application())
run("127.0.0.1", 0, application, threading=True, on_bind=lambda port: print(port, flush=True))
"""

_FILES: Final = {
    "settings.py": _SETTINGS,
    "urls.py": _URLS,
    "serve.py": _SERVE,
    "plants/__init__.py": "",
    "plants/models.py": _MODELS,
    "plants/admin.py": _ADMIN,
}


class Nursery:
    """The open site; its project is written into `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def added(self) -> list[dict[str, Any]]:
        """The plants in its database, oldest first, a genus by its name."""
        return self._rows(
            "SELECT p.name, g.name AS genus, light, height_cm, price, planted, evergreen, notes"
            " FROM plants_plant p JOIN plants_genus g ON g.id = p.genus_id ORDER BY p.id"
        )

    def history(self) -> list[dict[str, Any]]:
        """What the admin wrote down of each change: 1 added, 2 changed, 3 deleted; of what, and which fields."""
        return self._rows("SELECT action_flag, object_repr, change_message FROM django_admin_log ORDER BY id")

    def _rows(self, query: str) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{self._folder / 'plants.sqlite3'}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query)]

    def __enter__(self) -> Self:
        for name, text in _FILES.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        errors = self._folder / "site.log"
        with errors.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "serve.py"],
                cwd=self._folder,
                env={**os.environ, "SITE_USER": USER, "SITE_PASSWORD": PASSWORD},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        port = self._process.stdout.readline().strip()
        if not port:
            self.close()
            raise RuntimeError(f"Django did not start:\n{errors.read_text(encoding='utf-8')}")
        self.url = f"http://127.0.0.1:{port}/admin/"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End its process. Idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
