// What a person points at, or types into: the innermost element worth naming at a point of the viewport, and what a
// field holds with its caret. Nothing is waited for and nothing is scrolled: the person sees the page as it is.

const SHOWN_WHOLE = /^(img|canvas|video|audio|iframe|frame|object|embed|input|select|textarea)$/;
const PLAIN_ROLES = { canvas: "canvas", svg: "img", body: "document", html: "document" };
const MOST_SAID = 80;

/**
 * The element at a point of this world's viewport, or (without one) what has the focus; null where there is none. A
 * frame of another origin is told as itself, with `frame`: where to go on in it. `req`: {point, arm, roll}; `arm`
 * watches for the input that is to come, `roll` ("up", "down") what a wheel there will move.
 */
function spotAt(req) {
  const found = req.point ? hitAt(...req.point) : focused();
  if (!found) return null;
  const el = req.point ? worthNaming(found.el) : found.el;
  if (req.arm) arm({ key: found.frame ? null : keyOf(el) });
  if (req.roll) noteRoll(found.el, req.roll);
  return { ...told(el), frame: found.frame ?? null };
}

function told(el) {
  const r = el.getBoundingClientRect(), base = frameOffset(el.ownerDocument.defaultView);
  const facts = describe(el);
  const role = roleOf(el);
  if (!isInteractive(el, role) && !clickableAlone(el)) {
    facts.role = plainRole(el, role);
    const said = facts.role === "document" ? "" : cap(squeeze((el.textContent ?? "").slice(0, 400)), MOST_SAID);
    facts.name = cap(nameOf(el, facts.role), 120) || said;
  }
  return { ...facts, ...heldNow(keyOf(el)), key: keyOf(el), box: [r.left + base.x, r.top + base.y, r.width, r.height] };
}

/** A box around controls is an area: a script that clicks its middle would click one of them. */
function plainRole(el, role) {
  if (PLAIN_ROLES[el.localName]) return PLAIN_ROLES[el.localName];
  if (el.querySelector(CONTROLS)) return "area";
  return role && role !== "none" ? role : "text";
}

/** What is hit at a point through frames of the same origin; of a frame of another origin where it stands. */
function hitAt(x, y) {
  let doc = document, left = 0, top = 0;
  for (;;) {
    const el = deepHit(doc, x - left, y - top);
    if (!el) return doc === document ? null : { el: doc.body ?? doc.documentElement };
    const inner = innerPlace(el);
    if (!inner) return { el };
    left += inner.left;
    top += inner.top;
    if (!inner.doc) return { el, frame: { key: keyOf(el), left, top } };
    if (!deepHit(inner.doc, x - left, y - top)) return { el: inner.doc.body ?? el }; // nothing is laid out in it
    doc = inner.doc;
  }
}

/** Where the content of a frame element begins in its own document, and its document where that is of this origin. */
function innerPlace(el) {
  if (el.localName !== "iframe" && el.localName !== "frame") return null;
  const r = el.getBoundingClientRect();
  let doc = null;
  try { doc = el.contentDocument; } catch { /* another origin */ }
  return { left: r.left + el.clientLeft, top: r.top + el.clientTop, doc };
}

function focused() {
  let doc = document, left = 0, top = 0;
  for (;;) {
    const el = deepFocus(doc);
    if (!el || (el === doc.body || el === doc.documentElement) && !el.isContentEditable) return null;
    const inner = innerPlace(el);
    if (!inner) return { el: editorOf(el) };
    left += inner.left;
    top += inner.top;
    if (!inner.doc) return { el, frame: { key: keyOf(el), left, top } };
    doc = inner.doc;
  }
}

function editorOf(el) {
  let host = el;
  while (host.isContentEditable && !isEditingHost(host)) host = host.parentElement;
  return host;
}

/** What a person would say was clicked: a control, its label's control, what is clickable; else what stands there. */
function worthNaming(hit) {
  const line = [];
  for (let up = hit; up; up = up.assignedSlot ?? above(up)) line.push(up);
  for (const el of line) {
    if (el.isContentEditable) return editorOf(el);
    if (el.localName === "label" && el.control) return el.control;
    if (isInteractive(el, roleOf(el))) return el;
  }
  return line.find((el) => clickableAlone(el)) ?? plainPlace(hit);
}

/** Clickable by a listener or its pointer, and not merely around controls: a script that clicks its middle must hit it. */
function clickableAlone(el) {
  if (el === el.ownerDocument.body || el === el.ownerDocument.documentElement || el.querySelector(CONTROLS)) return false;
  if (el.localName === "svg" ? false : el.closest("svg")) return listening.has(el) || el.hasAttribute("onclick");
  const view = el.ownerDocument.defaultView, r = el.getBoundingClientRect();
  if (r.width * r.height > view.innerWidth * view.innerHeight * 0.5) return false;
  if (listening.has(el) || el.hasAttribute("onclick") || el.hasAttribute("onmousedown")) return true;
  const parent = above(el);
  return getComputedStyle(el).cursor === "pointer" && !(parent && getComputedStyle(parent).cursor === "pointer");
}

function plainPlace(hit) {
  if (hit === hit.ownerDocument.documentElement) return hit.ownerDocument.body ?? hit;
  let el = hit.closest("svg") ?? hit;
  for (let up = el.parentElement?.closest("svg"); up; up = up.parentElement?.closest("svg")) el = up;
  while (!SHOWN_WHOLE.test(el.localName) && el.localName !== "svg" && INLINE.test(getComputedStyle(el).display)) {
    const up = el.assignedSlot ?? above(el);
    if (!up || up === el.ownerDocument.body) break;
    el = up;
  }
  return el;
}

/** What a field holds, whole, and which part of it is selected; nothing of one that takes a secret. */
function heldNow(key) {
  const el = elementOf(key);
  if (!el?.isConnected) return null;
  const kind = editableKind(el), writable = !isDisabled(el) && !el.readOnly && el.ariaReadOnly !== "true";
  const out = { editable: kind, writable: kind !== "" && kind !== "set" && writable, secret: isSecret(el), value: null, caret: null };
  if (out.secret || !kind && el.localName !== "select") return out;
  if (kind === "content") return { ...out, ...written(el) };
  if (!kind) return { ...out, value: [...el.selectedOptions].map((o) => squeeze(o.label)).join(", ") };
  const value = el.value, end = value.length; // of numbers and e-mail addresses the browser tells no caret
  return { ...out, value, caret: [el.selectionStart ?? end, el.selectionEnd ?? end] };
}

/** The text of an editor, and where its selection stands in it. */
function written(host) {
  const at = host.getRootNode().getSelection?.() ?? host.ownerDocument.getSelection();
  const range = at?.rangeCount ? at.getRangeAt(0) : null;
  const marks = [null, null];
  let text = "";
  const mark = (node, offset, length) => {
    if (range?.startContainer === node && range.startOffset === offset) marks[0] = length;
    if (range?.endContainer === node && range.endOffset === offset) marks[1] = length;
  };
  const inText = (node) => {
    for (let i = 0; range && i <= node.data.length; i++) mark(node, i, text.length + i);
    text += node.data.replace(/\u00a0/g, " ");
  };
  const walk = (node) => {
    if (node.nodeType === 3) return inText(node);
    const tag = node.localName, block = node !== host && !INLINE.test(getComputedStyle(node).display);
    if (tag === "br" && (node.nextSibling || node.previousSibling)) text += "\n";
    else if (block && text && !text.endsWith("\n")) text += "\n";
    let place = 0;
    for (let child = node.firstChild; child; child = child.nextSibling) {
      mark(node, place++, text.length);
      if (child.nodeType === 1 || child.nodeType === 3) walk(child);
    }
    mark(node, place, text.length);
  };
  walk(host);
  const end = text.length, start = marks[0] ?? marks[1] ?? end;
  return { value: text, caret: [start, Math.max(start, marks[1] ?? start)] };
}

let rolled = null;

/** Note what a wheel at an element will move: the innermost box that has room that way. */
function noteRoll(el, way) {
  let box = null;
  for (let up = el; up && !box; up = up.assignedSlot ?? above(up)) if (hasRoom(up, way)) box = up;
  for (let view = el.ownerDocument.defaultView; !box && view; view = view === window ? null : view.parent) {
    const page = view.document.scrollingElement;
    if (page && hasRoom(page, way) || view === window) box = page ?? view.document.documentElement;
  }
  rolled = { box, from: box.scrollTop };
}

function hasRoom(box, way) {
  const room = way === "down" ? box.scrollHeight - box.clientHeight - box.scrollTop : box.scrollTop;
  if (room < 1) return false;
  const overflow = getComputedStyle(box).overflowY;
  return box === box.ownerDocument.scrollingElement ? overflow !== "hidden" : /^(auto|scroll|overlay)$/.test(overflow);
}

/** How far (px) the wheel has moved it, once it stands still. */
async function rolledBy() {
  let last = rolled.box.scrollTop, still = 0;
  for (let frames = 0; frames < 30; frames++) {
    await nextFrame();
    const now = rolled.box.scrollTop;
    still = now === last ? still + 1 : 0;
    last = now;
    if (still >= (now === rolled.from ? 6 : 3)) break;
  }
  return Math.round(last - rolled.from);
}
