"""Boxes, lists and files: chosen, looked at again, and told as they are."""

from pathlib import Path

import pytest

from notte_mcp import actions as a
from tests.engine.actions.driver import Driver

pytestmark = pytest.mark.anyio


@pytest.fixture
def driver(kept: Driver) -> Driver:
    """These tests are about a page, so they share a session."""
    return kept


async def test_a_checkbox_and_a_switch_are_set_and_unset_and_a_radio_button_is_chosen(driver: Driver) -> None:
    """Said to be so when it is so already; only another one unsets a radio button."""
    await driver.open("/controls.html")
    for name in ("some", "news", "alerts"):
        for wanted in (True, True, False):
            receipt = await driver.act(a.Check(selector=f"[name={name}]", value=wanted))
            assert receipt.value == ("checked" if wanted else "not checked")
            assert await driver.js(f"document.forms[0].{name}.checked") is wanted
    await driver.act(a.Check(selector="[value=courier]"))
    assert await driver.js("document.forms[0].delivery.value") == "courier"
    assert "choosing another" in (await driver.refused(a.Check(selector="[value=courier]", value=False))).message


async def test_boxes_made_of_roles_are_set(driver: Driver) -> None:
    """role=checkbox, role=switch."""
    await driver.open("/widgets.html")
    for role, wanted in (("checkbox", True), ("checkbox", False), ("switch", False), ("switch", True)):
        await driver.act(a.Check(selector=f"[role={role}]", value=wanted))
        found = await driver.page.locator(f"[role={role}]").get_attribute("aria-checked")
        assert found == str(wanted).lower()


async def test_a_box_behind_its_label_is_set_and_one_that_does_not_stay_so_is_a_failure(driver: Driver) -> None:
    """Drawn by the label: a pixel large, transparent, not displayed, beside a link; or set a moment later. The click on
    the last was heard and undone."""
    await driver.open("/covert.html")
    for box in ("pixel", "transparent", "absent", "linked", "slowly"):
        await driver.act(a.Check(selector=f"#{box}"))
        assert await driver.page.locator(f"#{box}").get_attribute("aria-checked") != "false"
        assert await driver.js(f"document.getElementById('{box}').checked !== false")
    receipt = await driver.refused(a.Check(selector="#undone"))
    assert "still not checked" in receipt.message


async def test_native_lists_are_chosen_from_by_label_or_value(driver: Driver) -> None:
    """The page hears of it; a choice is added to a list of several; a group is no option; typing into a data list is
    choosing."""
    await driver.open("/controls.html")
    await driver.js("void (document.forms[0].size.onchange = e => { (window.heard ??= []).push(e.target.value); })")
    for asked in ("Large", "s", "large"):
        await driver.act(a.SelectDropdownOption(selector="[name=size]", value=asked))
    assert await driver.js("window.heard") == ["l", "s", "l"]
    receipt = await driver.act(a.SelectDropdownOption(selector="[name=colours]", value="Red"))
    assert receipt.value == "Red, Green, Grey"
    await driver.act(a.SelectDropdownOption(selector="[name=canton]", value="Geneva"))
    assert await driver.js("document.forms[0].canton.value") == "ge"
    await driver.act(a.SelectDropdownOption(selector="[name=town]", value="Chur"))
    assert await driver.js("document.forms[0].town.value") == "Chur"


async def test_an_option_that_is_not_there_or_disabled_is_told_with_those_that_are(driver: Driver) -> None:
    """The next call can be right."""
    await driver.open("/controls.html")
    missing = await driver.refused(a.SelectDropdownOption(selector="[name=size]", value="Giant"))
    assert "Small | Medium | Large | Huge" in missing.message
    assert "disabled" in (await driver.refused(a.SelectDropdownOption(selector="[name=size]", value="Huge"))).message
    assert await driver.js("document.forms[0].size.value") == "m"


async def test_an_option_that_comes_a_moment_later_is_waited_for_and_a_choice_that_is_undone_is_told(
    driver: Driver,
) -> None:
    """A second list that is loaded when the first was chosen from; what a list shows afterwards is named."""
    await driver.open("/covert.html")
    await driver.act(a.SelectDropdownOption(selector="#country", value="France"))
    await driver.act(a.SelectDropdownOption(selector="#region", value="Alsace"))
    assert await driver.js("document.getElementById('region').value") == "Alsace"

    assert '"Free" after' in (await driver.refused(a.SelectDropdownOption(selector="#tier", value="Paid"))).message


async def test_a_list_made_of_boxes_is_opened_and_chosen_from(driver: Driver) -> None:
    """role=combobox with a listbox that it controls; one that is always open is not clicked first: a click into its
    middle would choose."""
    await driver.open("/widgets.html")
    await driver.act(a.SelectDropdownOption(selector="#fruit", value="Plum"))
    assert await driver.js("document.getElementById('fruit').textContent") == "Plum"
    receipt = await driver.refused(a.SelectDropdownOption(selector="#fruit", value="Kiwi"), timeout_ms=600)
    assert "Apple | Pear" in receipt.message
    await driver.js("document.addEventListener('click', e => { (window.clicked ??= []).push(e.target.textContent); })")
    await driver.act(a.SelectDropdownOption(selector="[aria-label=Plan]", value="Pro"))
    assert await driver.js("window.clicked") == ["Pro"]


async def test_a_box_that_suggests_is_typed_into_and_chosen_from(driver: Driver) -> None:
    """Suggestions come from the server 80 ms after the last key."""
    await driver.open("/suggest.html")
    await driver.act(a.SelectDropdownOption(selector="#town", value="Lugano"))
    assert await driver.out() == "Chosen: Lugano"


# --- files ------------------------------------------------------------------------


async def test_a_file_is_given_to_a_file_input_even_a_hidden_one(driver: Driver) -> None:
    """The server gets its bytes."""
    (driver.files / "letter.txt").write_text("dear server")
    await driver.open("/uploads.html")
    for selector in ("[name=document]", "#behind", "#covert"):
        receipt = await driver.act(a.UploadFile(selector=selector, path="letter.txt"))
        assert receipt.value == "letter.txt"
    await driver.click("text=/^Upload$/")
    got = driver.site.submissions[-1].files
    assert [(file.name, file.content) for file in got] == [("letter.txt", b"dear server")] * 3


async def test_what_opens_a_file_chooser_is_given_the_file_and_a_click_on_it_says_so(driver: Driver) -> None:
    """A button, a label, a drop zone whose input exists only then; what opens none is told within the action's time. A
    click does not leave it open, and names `upload_file`."""
    await driver.open("/uploads.html")
    for number, selector in enumerate(("#choose", "text=Add attachment", "#drop"), 1):
        (driver.files / f"{number}.txt").write_text("dear server")
        await driver.act(a.UploadFile(selector=selector, path=f"{number}.txt"))
        assert await driver.out() == f"{number}.txt (11 bytes)"
    receipt = await driver.refused(a.UploadFile(selector="#out", path="1.txt", timeout_ms=400))
    assert "no file chooser" in receipt.message
    await driver.click("#choose")
    await driver.act(a.Wait(time_ms=50))
    assert any("upload_file" in event for event in driver.session.take_events())


async def test_a_file_of_an_allowed_folder_is_taken_and_others_are_refused(
    driver: Driver, shared_folder: Path, tmp_path: Path
) -> None:
    """Links are followed first; a folder, an absent file and a way upwards are refused."""
    (shared_folder / "allowed.txt").write_text("yes")
    (tmp_path / "outside.txt").write_text("no")
    (driver.files / "link.txt").symlink_to(tmp_path / "outside.txt")
    (driver.files / "folder").mkdir()
    await driver.open("/uploads.html")
    await driver.act(a.UploadFile(selector="[name=document]", path=str(shared_folder / "allowed.txt")))
    for path in ("link.txt", "../outside.txt", str(tmp_path / "outside.txt"), "/etc/passwd", "folder", "absent.txt"):
        receipt = await driver.refused(a.UploadFile(selector="[name=several]", path=path))
        assert (path, receipt.code) == (path, "upload_refused")
    assert await driver.js("document.forms[0].several.files.length") == 0


async def test_a_box_whose_list_is_built_anew_by_the_click_is_set_once(driver: Driver) -> None:
    """The box that stands in its place tells; it is not done twice, and not said to be undone."""
    await driver.open("/spa.html")
    box = driver.page.get_by_role("checkbox", name="Water the plants")
    for wanted in (True, False):
        receipt = await driver.act(a.Check(selector="li:has-text('Water') input", value=wanted))
        assert (receipt.value, receipt.healed) == ("checked" if wanted else "not checked", True)
        assert await box.is_checked() is wanted


async def test_a_box_that_goes_with_the_click_is_told_as_clicked(driver: Driver) -> None:
    """Gone for good: what was done is said."""
    await driver.open("/spa.html")
    box = "<label><input type=checkbox onclick='this.remove()'> Buy stamps</label>"
    await driver.js(f'document.getElementById("list").innerHTML = {box!r}')
    receipt = await driver.refused(a.Check(selector="label:has-text('stamps') input"))
    assert (receipt.code, "It was clicked." in receipt.message) == ("action_failed", True), receipt.message
    assert "Nothing was done" not in receipt.message
