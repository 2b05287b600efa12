"""Flows of forms: fields of all kinds, sign-ins, several pages, what is corrected on the way.

Below: flows. Above: table.
"""

from typing import Final

from tests.corpus.flows import act, check, choose, click, failing, fill, flow, upload

CODE: Final = "tea-at-four-17"

FORMS: Final = (
    flow(
        "permit",
        "/form.html",
        (
            fill("textbox Applicant", "Ada Brew"),
            fill("textbox E-mail", "ada@example.org"),
            fill("password Access code", CODE),
            choose("combobox District", "East"),
            check("radio Renewal"),
            fill("date Start date", "2026-12-01"),
            check("checkbox I accept the terms"),
            click("button Send request"),
        ),
        forms=({"applicant": "Ada Brew", "code": CODE, "district": "East", "kind": "renewal", "start": "2026-12-01"},),
        said=("Your number is PR-1001.",),
        secrets={"SECRET_ACCESS_CODE": CODE},
    ),
    flow(
        "sign-in",
        "/login.html",
        (
            fill("textbox User name", "ada"),
            fill("password Password", "sesame"),
            check("checkbox Stay signed in"),
            click("button Sign in"),
        ),
        forms=({"username": "ada", "password": "sesame", "remember": "yes"},),
        opened=("/account",),
        secrets={"SECRET_PASSWORD": "sesame"},
    ),
    flow(
        "sign-in-by-enter",
        "/account",
        (fill("textbox User name", "grace"), fill("password Password", "sesame", press_enter=True)),
        forms=({"username": "grace", "password": "sesame"},),
        opened=("/account",),
        secrets={"SECRET_PASSWORD": "sesame"},
        style="async",
    ),
    flow(
        "address",
        "/address.html",
        act(
            "form_fill",
            value={
                "first_name": "Ada",
                "last_name": "Brew",
                "email": "ada@example.org",
                "city": "Bern",
                "country": "Switzerland",
            },
        ),
        (choose("combobox Title", "Dr"), click("button Save address")),
        forms=(
            {
                "given": "Ada",
                "family": "Brew",
                "mail": "ada@example.org",
                "town": "Bern",
                "land": "CH",
                "honorific": "Dr",
            },
        ),
    ),
    flow(
        "every-control",
        "/controls.html",
        (
            fill("textbox Name", "Grace"),
            fill("textbox E-mail", "grace@example.org"),
            fill("spinbutton Amount", "4"),
            fill("textbox Remarks", "One line\nand another"),
            fill("date Day", "2026-03-04"),
            choose("combobox Size", "Large"),
            choose("combobox Canton", "Geneva"),
            check("checkbox Newsletter", value=False),
            check("switch Alerts"),
            check("radio Courier"),
            click("button Preview"),
        ),
        forms=(
            {
                "name": "Grace",
                "amount": "4",
                "day": "2026-03-04",
                "size": "l",
                "canton": "ge",
                "news": None,
                "delivery": "courier",
                "alerts": "on",
                "action": "preview",
            },
        ),
    ),
    flow(
        "corrected",
        "/validation.html",
        (fill("textbox E-mail", "nobody"), click("button Send checked")),
        (fill("textbox E-mail", "ada@example.org"), click("button Send checked")),
        forms=({"mail": "ada@example.org"},),
    ),
    flow(
        "wizard",
        "/wizard",
        (fill("textbox Full name", "Hedy"), fill("textbox Born in", "Wien"), click("button Continue")),
        (choose("combobox Town", "Chur"), check("radio Three"), click("button Continue")),
        (check("checkbox With a garden"), click("button Send application")),
        forms=({"full_name": "Hedy", "born": "Wien", "town": "Chur", "rooms": "3", "garden": "yes"},),
        said=("Thank you, Hedy.",),
    ),
    flow(
        "card",
        "/secrets.html",
        (
            fill("textbox Name on card", "Ada Brew"),
            fill("textbox Card number", "4111111111111111"),
            fill("textbox Expiry", "12/29"),
            fill("password Security code", "847"),
            click("button Pay"),
        ),
        forms=({"cc-name": "Ada Brew", "cc-number": "4111111111111111", "cc-exp": "12/29", "cc-csc": "847"},),
        secrets={"SECRET_CARD_NUMBER": "4111111111111111", "SECRET_EXPIRY": "12/29", "SECRET_SECURITY_CODE": "847"},
    ),
    flow(
        "new-password",
        "/secrets.html",
        (
            fill("password New password", "Kettle-8842"),
            fill("password Repeat it", "Kettle-8842"),
            click("button Change"),
        ),
        forms=({"new": "Kettle-8842", "repeat": "Kettle-8842"},),
        secrets={"SECRET_NEW_PASSWORD": "Kettle-8842", "SECRET_REPEAT_IT": "Kettle-8842"},
    ),
    flow(
        "uploads",
        "/uploads.html",
        (
            upload("file Document", "cv.pdf"),
            upload("file Several", "plan.txt"),
            fill("textbox Note", "two files"),
            click("button Upload"),
        ),
        forms=({"document": "cv.pdf", "several": "plan.txt", "note": "two files"},),
        said=("2 file(s) came.",),
    ),
    flow(
        "chooser",
        "/uploads.html",
        upload("button Drop a file here", "plan.txt"),
        upload("button Choose a file", "cv.pdf"),
        click("button Upload"),
        forms=({"behind": "cv.pdf"},),
        said=("plan.txt (10 bytes)", "cv.pdf (11 bytes)", "1 file(s) came."),
    ),
    flow(
        "repeated-fills",
        "/form.html",
        fill("textbox Applicant", "A"),
        fill("textbox Applicant", "Ada B"),
        (
            fill("textbox Applicant", "Ada Brew"),
            choose("combobox District", "South"),
            choose("combobox District", "West"),
        ),
        (fill("textbox E-mail", "ada@example.org"), click("button Send request")),
        forms=({"applicant": "Ada Brew", "district": "West", "email": "ada@example.org"},),
    ),
    flow(
        "failed-steps",
        "/form.html",
        fill("textbox Applicant", "Mary"),
        failing({"type": "click", "selector": "#nowhere", "timeout_ms": 300}),
        failing({"type": "click", "selector": "button:has-text('Save draft')", "timeout_ms": 300}),
        (check("radio New"), click("button Send request")),
        forms=({"applicant": "Mary", "kind": "new"},),
    ),
    flow(
        "generated-ids",
        "/generated",
        (fill("textbox Nickname", "kettle"), fill("textbox Motto", "tea first"), click("button Join")),
        forms=({"nickname": "kettle", "motto": "tea first"},),
    ),
    flow(
        "stubborn",
        "/stubborn.html",
        act("fallback_fill", "textbox Keys only", value="abc"),
        (fill("textbox Upper case", "LOUD"), fill("textbox Masked phone", "123 456 789")),
        act("evaluate_js", code="['keys', 'upper', 'mask'].map(id => document.getElementById(id).value).join('/')"),
        reads="abc/LOUD/123 456 789",
    ),
)
