// The isolated world's one entrance: `globalThis.notte`. Every call gets one JSON value and gives
// one, and every string has been cut in the page before it crosses.

/** Let a main-world pass tell which elements have click listeners: it sends them an event named `token`. */
function listen(token) {
  for (const root of rootsOf(document)) {
    if (root.nodeType === 9) root.addEventListener(token, (event) => listening.add(event.composedPath()[0]), { capture: true });
  }
}

/** Give the element that an event named `token` reaches a key (how a locator's element gets into this world). */
function expect(token) {
  expected = null;
  for (const root of rootsOf(document)) {
    if (root.nodeType === 9) root.addEventListener(token, (event) => { expected = event.composedPath()[0]; }, { capture: true, once: true });
  }
}

let expected = null;

/** What an expected event reached, or (`selected`) what has been selected instead, where events are broken. */
function claimed(selected) {
  if (selected) {
    const focus = deepFocus(document), at = document.getSelection();
    expected = at?.type === "Range" && at.anchorNode?.nodeType === 1 ? at.anchorNode : "select" in (focus ?? {}) ? focus : null;
  }
  if (!expected || expected.nodeType !== 1) return null;
  const el = expected;
  expected = null;
  const role = roleOf(el);
  return { key: keyOf(el), role: role || "clickable", name: cap(nameOf(el, role), 120), secret: isSecret(el), context: contextOf(el) };
}

const hits = new Map();

/** As `expect`, for many elements at once, each with a token of its own. */
function expectAll(tokens) {
  hits.clear();
  for (const root of rootsOf(document)) {
    if (root.nodeType !== 9) continue;
    for (const token of tokens) root.addEventListener(token, (event) => { hits.set(token, event.composedPath()[0]); }, { capture: true, once: true });
  }
}

/** Role and name of what each of the events has reached, or null. */
function claimedAll(tokens) {
  return tokens.map((token) => {
    const el = hits.get(token);
    if (el?.nodeType !== 1) return null;
    const role = roleOf(el);
    return { role: role || "clickable", name: cap(nameOf(el, role), 120) };
  });
}

/** Where this document is, told without the page's own getters. */
function place() {
  return { url: location.href.slice(0, 4000), title: squeeze((document.title ?? "").slice(0, 1000)).slice(0, 300), ready: document.readyState, viewport: viewportNow() };
}

/** How far the page is scrolled, the size of what is seen, and that of all of it. */
function viewportNow() {
  const all = document.scrollingElement ?? document.documentElement;
  return [scrollX, scrollY, innerWidth, innerHeight, all?.scrollWidth ?? 0, all?.scrollHeight ?? 0].map(Math.round);
}

/** What is known of an element by its key, or that it is gone. `req`: keys. */
function inspect(req) {
  return req.map((key) => {
    const el = elementOf(key);
    if (!el?.isConnected) return null;
    const role = roleOf(el);
    return { secret: isSecret(el), disabled: isDisabled(el), name: cap(nameOf(el, role), 120), editable: editableKind(el) };
  });
}

/** Role, name and locators of an element by its key, or null. */
function describeKey(key) {
  const el = elementOf(key);
  return el?.isConnected ? describe(el) : null;
}

function waitVisible(req) {
  return reach({ key: req.key, kind: "hover", timeout: req.timeout, patient: true });
}

function elementFor(key) {
  return elementOf(key);
}

/** Keys of the frame elements of another origin. */
function foreignFrames() {
  return walkDocument(document).frames;
}

/** Bind a frame element (`this`) to its key, so that the caller can match frames to places. */
function bindFrame(el) {
  return keyOf(el);
}

globalThis.notte = { look, more, reach, framePoint, framePath, arm, disarm, firstFrames, nextFrame, untilQuiet, waitForText, hasText,
  focusField, setField, readField, checkedOf, selectOption, findOption, matchForm, scroll, mark, unmark, plainHtml,
  localStorageItems, listen, expect, claimed, expectAll, claimedAll, place, inspect, heirs, describeKey, waitVisible, centerOf, aimed, landed, elementFor, bindFrame, foreignFrames,
  spotAt, heldNow, rolledBy, spell };
