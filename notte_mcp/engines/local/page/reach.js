// Reaching an element before input: is it there, visible, enabled, still and on top? What is
// really under the pointer is told, so that a click on something else is an error that names it.

/** How long (ms) a page may be quiet before an element that cannot be acted on is given up. */
const PATIENCE = 1000;

/**
 * Where the element can be pointed at, once it can. `req`: {key, kind, timeout, patient}; also `arm` (watch for the
 * input that is to come), `still` (do not scroll: say that it takes a scroll), `veil` (a secret is to be typed, whatever the field looks like) and `clear` (focus a field that takes text: `focus` is what came of it).
 */
async function reach(req) {
  const el = elementOf(req.key);
  if (!el || !el.isConnected) return { error: "gone" };
  const scrolled = req.kind !== "file" && takesScroll(el);
  if (scrolled && req.still) return { error: "scrolls" };
  const quiet = watchQuiet(el.ownerDocument);
  const start = performance.now();
  try {
    for (;;) {
      if (!el.isConnected) return { error: "gone" };
      const state = await attempt(el, req.kind);
      if (!state.error) return { ...state, scrolled, ...describe(el), ...prepared(el, req) };
      const waited = performance.now() - start;
      const hopeless = req.patient ? waited > req.timeout : quiet.since() > PATIENCE && waited > PATIENCE;
      if (hopeless || waited > req.timeout) return { ...state, ...describe(el) };
      await pause(30);
    }
  } finally {
    quiet.stop();
  }
}

/** What is to be done with an element that was reached, in the same breath. */
function prepared(el, req) {
  if (req.arm) arm({ key: req.key });
  veil.follow(req.veil === true);
  if (req.veil && editableKind(el)) veil.cover(el);
  else veil.look(el);
  if (req.clear === undefined || !/^(text|content)$/.test(editableKind(el))) return {};
  return { focus: focusField({ key: req.key, clear: req.clear }) };
}

async function attempt(el, kind) {
  if (kind === "file") return isDisabled(el) ? { error: "disabled" } : {};
  const shown = shownFor(el);
  if (!shown) return { error: "hidden" };
  if (kind !== "hover" && isDisabled(el)) return { error: "disabled" };
  if (kind === "edit" && (el.readOnly || el.ariaReadOnly === "true")) return { error: "readonly" };
  if (kind === "focus") {
    intoView(shown);
    return {};
  }
  if (await moving(shown)) return { error: "moving" };
  const found = point(shown, el);
  if (!found.error || shown !== el) return found;
  // Boxes that are drawn by their label are often a pixel large, or under something that is drawn for them.
  for (const label of ownLabels(el)) {
    const over = point(label, el);
    if (!over.error) return over;
  }
  return found;
}

/** What stands for the element on the page: itself, or the label of a box that is hidden behind it. */
function shownFor(el) {
  const visible = (e) => e.checkVisibility({ visibilityProperty: true });
  return visible(el) ? el : ownLabels(el).find(visible);
}

function ownLabels(el) {
  return el.localName === "input" && /^(checkbox|radio|file)$/.test(el.type) ? [...el.labels ?? []] : [];
}

/** A point of `el` where a pointer would hit `target`, in px of the top frame of this world. */
function point(el, target) {
  intoView(el);
  const view = el.ownerDocument.defaultView;
  const rects = [...el.getClientRects()].filter((r) => r.width > 0 && r.height > 0);
  if (!rects.length) return { error: "hidden" };
  let cover = null;
  for (const r of rects.slice(0, 3)) {
    const left = Math.max(r.left, 0), top = Math.max(r.top, 0);
    const right = Math.min(r.right, view.innerWidth), bottom = Math.min(r.bottom, view.innerHeight);
    if (right <= left || bottom <= top) continue;
    for (const [fx, fy] of [[0.5, 0.5], [0.2, 0.5], [0.8, 0.5], [0.5, 0.2], [0.5, 0.8]]) {
      const x = left + (right - left) * fx, y = top + (bottom - top) * fy;
      const hit = deepHit(el.ownerDocument, x, y);
      if (hit && belongs(hit, target)) {
        const out = throughFrames(view, x, y);
        if (!out.cover) return out;
        cover ??= out.cover;
      } else cover ??= hit;
    }
  }
  return cover ? { error: "covered", cover: naming(cover) } : { error: "outside" };
}

/** A point of a frame of the same origin as a point of this world's top frame, or what covers it on the way. */
function throughFrames(view, x, y) {
  for (let w = view; w !== window && w.frameElement; w = w.parent) {
    const frame = w.frameElement, doc = frame.ownerDocument;
    const place = () => {
      const r = frame.getBoundingClientRect();
      return { x: r.left + frame.clientLeft + x, y: r.top + frame.clientTop + y };
    };
    const at = pointIntoView(doc.defaultView, place);
    const hit = deepHit(doc, at.x, at.y);
    if (hit !== frame) return { cover: hit ?? frame };
    x = at.x;
    y = at.y;
  }
  return { x, y };
}

/** Scroll a view until a point of it can be seen. `place` tells where the point is. */
function pointIntoView(view, place) {
  const at = place();
  const dx = at.x < 0 || at.x >= view.innerWidth ? at.x - view.innerWidth / 2 : 0;
  const dy = at.y < 0 || at.y >= view.innerHeight ? at.y - view.innerHeight / 2 : 0;
  if (!dx && !dy) return at;
  view.scrollBy({ left: dx, top: dy, behavior: "instant" });
  return place();
}

/** Whether what stands for the element is not all in sight. */
function takesScroll(el) {
  const shown = shownFor(el);
  return shown !== undefined && !inSight(shown);
}

function inSight(el) {
  const view = el.ownerDocument.defaultView;
  const r = el.getBoundingClientRect();
  const inside = r.top >= 0 && r.left >= 0 && r.bottom <= view.innerHeight && r.right <= view.innerWidth;
  return inside && !clippedByScroller(el, r);
}

function intoView(el) {
  const view = el.ownerDocument.defaultView;
  if (!inSight(el)) el.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  for (let w = view; w !== window && w.frameElement; w = w.parent) intoViewOnce(w.frameElement);
}

function intoViewOnce(frame) {
  const r = frame.getBoundingClientRect(), view = frame.ownerDocument.defaultView;
  if (r.bottom < 0 || r.top > view.innerHeight) frame.scrollIntoView({ block: "center", behavior: "instant" });
}

function clippedByScroller(el, r) {
  for (let up = el.parentElement; up && up !== el.ownerDocument.body; up = up.parentElement) {
    if (up.scrollHeight <= up.clientHeight && up.scrollWidth <= up.clientWidth) continue;
    if (getComputedStyle(up).overflow === "visible") continue;
    const box = up.getBoundingClientRect();
    if (r.top < box.top || r.bottom > box.bottom || r.left < box.left || r.right > box.right) return true;
  }
  return false;
}

/** The innermost element at a point, through open shadow roots. */
function deepHit(doc, x, y) {
  let hit = doc.elementFromPoint(x, y);
  while (hit?.shadowRoot) {
    const inner = hit.shadowRoot.elementFromPoint(x, y);
    if (!inner || inner === hit) break;
    hit = inner;
  }
  return hit;
}

/** Whether a hit on `hit` counts for `el`: inside it, or its label (but not a link or button in the label). */
function belongs(hit, el) {
  let other = false;
  for (let up = hit; up; up = up.assignedSlot ?? above(up)) {
    if (up === el) return true;
    if (up.localName === "label" && up.control === el) return !other;
    other ||= /^(a|button|select|textarea|summary)$/.test(up.localName) || up.localName === "input";
  }
  return false;
}

/** The offset of a frame of the same origin from this world's top frame, and what covers it there. */
function frameOffset(view) {
  let x = 0, y = 0;
  for (let w = view; w !== window && w.frameElement; w = w.parent) {
    const frame = w.frameElement, r = frame.getBoundingClientRect();
    x += r.left + frame.clientLeft;
    y += r.top + frame.clientTop;
  }
  return { x, y };
}

/** Where a frame of another origin stands in this world, and whether a point of it is on top. `req`: {key, x, y}. */
function framePoint(req) {
  const frame = elementOf(req.key);
  if (!frame?.isConnected) return { error: "gone" };
  intoViewOnce(frame);
  const view = frame.ownerDocument.defaultView;
  const at = pointIntoView(view, () => {
    const r = frame.getBoundingClientRect();
    return { x: r.left + frame.clientLeft + req.x, y: r.top + frame.clientTop + req.y };
  });
  const hit = deepHit(frame.ownerDocument, at.x, at.y);
  if (hit !== frame) return hit ? { error: "covered", cover: naming(hit) } : { error: "outside" };
  const out = throughFrames(view, at.x, at.y);
  return out.cover ? { error: "covered", cover: naming(out.cover) } : out;
}

/** The middle of an element's box, [x, y] in px of the top frame of this world. `req`: {key}. */
function centerOf(req) {
  const el = elementOf(req.key), r = el.getBoundingClientRect(), base = frameOffset(el.ownerDocument.defaultView);
  return [r.left + r.width / 2 + base.x, r.top + r.height / 2 + base.y];
}

/** Whether an animation moves the element: its box differs between frames while one runs. */
async function moving(el) {
  if (!el.ownerDocument.getAnimations().some((a) => a.playState === "running" && a.effect?.target?.contains?.(el))) return false;
  let before = null;
  // Three frames, since the clock of an animation may stand still between two on a busy machine; one that was not
  // painted says nothing.
  for (let frames = 0; frames < 3; frames++) {
    if (!await nextFrame() && !document.hidden) return true;
    const now = el.getBoundingClientRect();
    if (before && (now.left !== before.left || now.top !== before.top || now.width !== before.width || now.height !== before.height)) return true;
    before = now;
  }
  return false;
}

/** Role and name, as an error names an element. */
function naming(el) {
  const role = roleOf(el) || el.localName;
  const name = nameOf(el, role) || squeeze(el.textContent.slice(0, 200));
  const id = el.id ? `#${el.id}` : el.className && typeof el.className === "string" ? `.${el.className.split(/\s+/)[0]}` : "";
  return cap(`${role}${name ? ` "${cap(name, 50)}"` : ""}${id ? ` ${id}` : ""}`, 90);
}

function describe(el) {
  let role = roleOf(el);
  if (!INTERACTIVE.has(role)) role = role || "clickable";
  return { role, name: cap(nameOf(el, role), 120), secret: isSecret(el), tag: el.localName, type: el.type ?? "",
    editable: editableKind(el), context: contextOf(el), locators: locatorsOf(el, role), box: boxOf(el) };
}

/** Where the element, or what stands for it, is seen: [left, top, width, height] in px of this world's top frame, or null. */
function boxOf(el) {
  const r = (shownFor(el) ?? el).getBoundingClientRect(), base = frameOffset(el.ownerDocument.defaultView);
  const left = r.left + base.x, top = r.top + base.y;
  const seen = r.width && r.height && left < innerWidth && top < innerHeight && left + r.width > 0 && top + r.height > 0;
  return seen ? [left, top, r.width, r.height] : null;
}

/** How text gets into the element: "text" by typing, "set" by value, "content" for contenteditable, "" not at all. */
function editableKind(el) {
  if (el.localName === "textarea") return "text";
  if (el.localName === "input") {
    if (/^(date|month|week|time|datetime-local|color|range)$/.test(el.type)) return "set";
    return /^(checkbox|radio|button|submit|reset|image|file|hidden)$/.test(el.type) ? "" : "text";
  }
  return el.isContentEditable ? "content" : "";
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The next animation frame, or 50 ms where the tab is not painted. Gives whether there was a frame. */
function nextFrame() {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 50);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
