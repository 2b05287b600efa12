"""Sessions, pages and files with SDK 1.10."""

import json
from pathlib import Path

from notte_core.errors import NotteBaseError
from notte_sdk import NotteClient
from pydantic import BaseModel
from telling import FOLDER, SHOP, SITE, check, plan, tell_all

client = NotteClient()
shared = client.Session()


class Kettle(BaseModel):
    name: str
    price: float


def refused(function, *arguments, **named):
    """What a call raised: its class, and its status where it has one."""
    try:
        function(*arguments, **named)
    except Exception as error:
        return [type(error).__name__, getattr(error, "status_code", None)]
    return ["nothing", None]


# --- sessions -----------------------------------------------------------------------


@check
def the_server_is_healthy():
    return client.health_check()


@check
def a_session_has_what_was_asked_for():
    with client.Session(
        viewport_width=900, viewport_height=700, max_duration_minutes=5, idle_timeout_minutes=2
    ) as session:
        status = session.status()
        sizes = json.loads(session.evaluate_js("[innerWidth, innerHeight]"))
        listed = [one.session_id for one in client.sessions.list()]
        facts = [status.status, status.max_duration_minutes, status.idle_timeout_minutes, status.viewport_width]
    after = client.sessions.status(session.session_id)
    return {
        "facts": facts,
        "sizes": sizes,
        "listed": session.session_id in listed,
        "after": [after.status, after.close_reason],
    }


@check
def another_client_goes_on_with_a_session_by_its_id():
    with client.Session() as session:
        session.execute(type="goto", url=SHOP)
        other = NotteClient().Session(session_id=session.session_id)
        other.execute(type="click", selector='role=link[name="Copper kettle"]')
        return {
            "where": session.observe().metadata.url.removeprefix(SHOP),
            "started_again": refused(other.start)[0],
            "open": session.status().status,
        }


# --- pages --------------------------------------------------------------------------


@check
def a_page_is_observed_and_acted_on_by_its_ids():
    shared.execute(type="goto", url=SHOP)
    seen = shared.observe()
    box = next(a for a in seen.space.interaction_actions if a.type == "fill")
    shared.execute(type="fill", id=box.id, value="kettle", press_enter=True)
    seen = shared.observe()
    link = next(a for a in seen.space.interaction_actions if a.text_label == "Copper kettle")
    done = shared.execute(type="click", id=link.id)
    last = shared.observe()
    return {
        "ids": [box.id[0], link.id[0]],
        "described": f"{link.id}[:]<a href=" in seen.space.description,
        "clicked": done.success,
        "title": last.metadata.title,
        "picture": last.screenshot.bytes()[:3] == b"\xff\xd8\xff",
        "states": bool(seen.element_states),
        "changed": seen.fingerprint != last.fingerprint,
        "tabs": len(last.metadata.tabs),
    }


@check
def a_page_is_acted_on_by_selectors():
    shared.execute(type="goto", url=f"{SHOP}order?product=copper-kettle&quantity=2")
    shared.execute(type="fill", selector="#name", value="Ada Brew")
    shared.execute(type="fill", selector='role=textbox[name="City"]', value="Bern")
    shared.execute(
        type="fill",
        selector={
            "css_selector": "#street",
            "xpath_selector": "",
            "in_iframe": False,
            "in_shadow_root": False,
            "iframe_parent_css_selectors": [],
        },
        value="Kettle Lane 4",
    )
    shared.execute(type="select_dropdown_option", selector="#country", value="Switzerland")
    shared.execute(type="check", selector="xpath=//input[@name='terms']", value=True)
    shared.execute(type="press_key", key="End")
    found = shared.evaluate_js(
        "['name', 'city', 'street', 'country'].map((id) => document.getElementById(id).value)"
        ".concat(document.querySelector('[name=terms]').checked)"
    )
    return json.loads(found)


@check
def a_script_of_the_page_gives_its_value():
    shared.execute(type="goto", url=SHOP)
    done = shared.execute(type="evaluate_js", code="({ links: document.links.length, none: null })")
    return [shared.evaluate_js("1 + 1"), shared.evaluate_js("'as it is'"), json.loads(done.data.markdown)]


@check
def a_failed_action_raises_its_own_kind_of_error():
    shared.execute(type="goto", url=SHOP)
    shared.observe()
    kept = shared.execute(type="click", id="B99", raise_on_failure=False)
    return {
        "kept": [kept.success, bool(kept.message), isinstance(kept.exception, NotteBaseError)],
        "unknown id": refused(shared.execute, type="click", id="B99"),
        "no element": refused(shared.execute, type="click", selector="#nowhere", timeout=400),
        "no such tab": refused(shared.execute, type="switch_tab", tab_index=9),
        "no server": refused(shared.execute, type="goto", url="http://127.0.0.1:9/"),
        "a script's error": refused(shared.evaluate_js, "nowhere.at.all"),
        "open still": shared.status().status,
    }


@check
def a_request_that_is_wrong_is_told_so():
    return {
        "key": refused(NotteClient(api_key="another-key").Session().start),
        "session": refused(client.sessions.status, "ses_00000000000000000000000000"),
        "field": refused(client.Session(shape="round").start),
        "personas": refused(client.personas.list),
        "vaults": refused(client.vaults.list),
    }


@check
def tabs_come_and_go():
    shared.execute(type="goto", url=SHOP)
    shared.execute(type="goto_new_tab", url=f"{SHOP}product/copper-kettle")
    two = shared.observe().metadata
    shared.execute(type="switch_tab", tab_index=0)
    first = shared.observe().metadata
    shared.execute(type="close_tab")
    one = shared.observe().metadata
    paths = [m.url.removeprefix(SHOP) for m in (two, first, one)]
    return {"tabs": [len(two.tabs), len(first.tabs), len(one.tabs)], "paths": paths}


# --- what a page holds --------------------------------------------------------------


@check
def a_page_is_scraped():
    shared.execute(type="goto", url=f"{SHOP}product/copper-kettle")
    whole = shared.scrape()
    main = shared.scrape(only_main_content=True, scrape_links=False)
    return {
        "heading": "# Copper kettle" in whole,
        "price": "89.00" in main,
        "links": "](/" in whole or f"]({SHOP}" in whole,
        "no links": "](" not in main,
    }


@check
def a_page_is_scraped_in_one_call():
    return "# Garden mint" in client.scrape(f"{SHOP}product/mint-tea", only_main_content=True)


@check
def what_a_page_says_is_read_into_a_given_form():
    plan({"name": "Copper kettle", "price": 89.0})
    shared.execute(type="goto", url=f"{SHOP}product/copper-kettle")
    kettle = shared.scrape(response_format=Kettle, instructions="The product and its price")
    plan({"name": "Copper kettle", "colour": "copper"})
    return [type(kettle).__name__, kettle.price, shared.scrape(instructions="What is it like?")]


@check
def the_page_s_own_requests_are_made():
    shared.execute(type="goto", url=SHOP)
    got = shared.fetch(f"{SHOP}product/copper-kettle")
    return [got.status_code, "Copper kettle" in got.text]


@check
def cookies_are_set_and_read():
    shared.execute(type="goto", url=SHOP)
    shared.set_cookies(
        cookies=[{"name": "tea", "value": "green", "domain": "127.0.0.1", "path": "/", "httpOnly": False}]
    )
    kept = [(one["name"], one["value"]) for one in shared.get_cookies()]
    return {"kept": kept, "seen": shared.evaluate_js("document.cookie")}


@check
def a_profile_is_kept_and_used_again():
    shared.execute(type="goto", url=SHOP)
    cookie = {"name": "cup", "value": "blue", "domain": "127.0.0.1", "path": "/", "httpOnly": False, "expires": 4e9}
    shared.set_cookies(cookies=[cookie])
    kept = shared.save_profile(name="mine")
    with client.Session(profile={"id": kept.profile_id, "persist": False}) as session:
        session.execute(type="goto", url=SHOP)
        seen = session.evaluate_js("document.cookie")
    names = [one.name for one in client.profiles.list()]
    client.profiles.delete(kept.profile_id)
    return {"seen": "cup=blue" in seen, "names": names, "left": len(client.profiles.list())}


@check
def files_go_in_and_come_out():
    given = Path(FOLDER, "letter.txt")
    given.write_text("Dear desk", encoding="utf-8")
    stored = shared.storage.upload(str(given))
    shared.execute(type="goto", url=f"{SITE}uploads.html")
    shared.execute(type="upload_file", selector="[name=document]", file_path="letter.txt")
    said = shared.evaluate_js("document.getElementById('out').textContent")
    shared.execute(type="goto", url=f"{SITE}downloads.html")
    shared.execute(type="download_file", selector="text=Report")
    names = {
        one.source.value if hasattr(one.source, "value") else one.source: one.filename
        for one in shared.storage.list().files
    }
    report = next(one for one in shared.storage.list(source="session_download").files)
    path = shared.storage.download(report.id, local_dir=FOLDER, force=True)
    shared.storage.delete(stored.id)
    left = [one.filename for one in shared.storage.list().files]
    return {
        "said": said,
        "names": names,
        "report": Path(path).name,
        "bytes": Path(path).stat().st_size > 0,
        "left": left,
    }


# --- afterwards ---------------------------------------------------------------------


@check
def what_was_done_is_counted_and_shown():
    before = shared.offset()
    shared.execute(type="goto", url=SHOP)
    shared.observe()
    after = shared.offset()
    debug = shared.debug_info()
    return {
        "grows": after > before,
        "tabs": [tab.metadata.url for tab in debug.tabs] == [SHOP],
        "sockets": sorted(url.partition(":")[0] for url in (debug.ws.logs, debug.ws.recording)),
        "steps": len(shared.status().steps or []) == after,
    }


@check
def a_replay_comes_after_the_end():
    session = client.Session()
    session.start()
    session.execute(type="goto", url=SHOP)
    session.execute(type="click", selector='role=link[name="Copper kettle"]')
    open_yet = refused(session.replay, wait=False)[0]
    session.stop()
    replay = session.replay(timeout=60, poll_interval=1)
    path = Path(FOLDER, "replay.mp4")
    replay.download(str(path))
    return {"open": open_yet, "mp4": path.read_bytes()[4:8].decode(), "length": (replay.video_duration_ms or 0) > 0}


@check
def the_code_of_a_session_is_a_script():
    with client.Session() as session:
        session.execute(type="goto", url=SHOP)
        session.execute(
            type="fill", selector='role=searchbox[name="Search products"]', value="kettle", press_enter=True
        )
    whole = client.sessions.get_session_script(session.session_id, as_workflow=True)
    bare = client.sessions.get_session_script(session.session_id, as_workflow=False)
    compile(whole.python_script, "whole.py", "exec")
    return {
        "whole": "def run(" in whole.python_script,
        "bare": "import" in bare.python_script,
        "actions": [one.get("type") if isinstance(one, dict) else one.type for one in whole.json_actions],
    }


with shared:
    tell_all()
