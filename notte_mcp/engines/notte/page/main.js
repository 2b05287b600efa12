// The one entrance: `ask({do, ...})` gives JSON. What a person's hand does without the wire, and waiting, is here too.

const DESCRIBED = ["title", "type", "name", "role", "tabindex", "aria-label", "placeholder", "value", "alt", "src", "href", "aria-expanded", "disabled"];

function deepFocus() {
  let el = document.activeElement;
  for (;;) {
    let inner = el?.shadowRoot?.activeElement ?? null;
    try { inner ??= el?.contentDocument?.activeElement ?? null; } catch { /* another origin */ }
    if (!inner) break;
    el = inner;
  }
  return !el || /^(body|html)$/.test(el.localName) && !el.isContentEditable ? null : el;
}

/** The innermost element at a point of the viewport, through frames of the same origin. */
function hitAt(x, y) {
  let top = document, el = null;
  for (;;) {
    const hit = top.elementFromPoint(x, y);
    if (!hit || hit === el) return el;
    el = hit;
    let inner = null;
    try { inner = el.contentDocument; } catch { /* another origin */ }
    if (inner) {
      const box = el.getBoundingClientRect();
      x -= box.left + el.clientLeft;
      y -= box.top + el.clientTop;
    }
    top = inner ?? el.shadowRoot;
    if (!top) return el;
  }
}

/** What a person would say was clicked: a control, its label's control, what is clickable; else what stands there. */
function worthNaming(hit) {
  const line = [];
  for (let up = hit; up; up = up.parentElement ?? up.getRootNode().host) line.push(up);
  for (const el of line) {
    if (el.isContentEditable && !el.parentElement?.isContentEditable) return el;
    if (el.localName === "label" && el.control) return el.control;
    if (el.matches(CONTROLS)) return el;
  }
  return line.find((el) => el.hasAttribute("onclick") && !el.querySelector(CONTROLS)) ?? hit;
}

/** Where a step stands: its place, and the element that it is about. */
const answer = (el, more = {}) => ({ ...place(), ...more, element: el ? factsOf(el) : null });

/** What is known of an element, and whether the cloud's own selectors still lead to it. */
const compared = (el, set) => ({ ...factsOf(el), same: Boolean(set) && bySet(set) === el });

function meant(req) {
  if (req.key) return { count: null, el: elementOf(req.key) };
  return req.set ? { count: null, el: bySet(req.set) } : single(req.selector);
}

function fire(el, type, [x, y], more = {}) {
  const kind = type.startsWith("pointer") ? PointerEvent : type.startsWith("drag") || type === "drop" ? DragEvent : MouseEvent;
  const bubbles = !/(enter|leave)$/.test(type);
  el.dispatchEvent(new kind(type, { bubbles, cancelable: true, composed: true, view: window, clientX: x, clientY: y, pointerType: "mouse", isPrimary: true, ...more }));
}

const press = (el, at, detail) => {
  for (const type of ["pointerdown", "mousedown"]) fire(el, type, at, { detail, buttons: 1 });
  el.focus?.({ preventScroll: true });
  for (const type of ["pointerup", "mouseup"]) fire(el, type, at, { detail });
  fire(el, "click", at, { detail });
};
const over = (el, at) => { for (const type of ["pointerover", "pointerenter", "mouseover", "mouseenter", "pointermove", "mousemove"]) fire(el, type, at); };
const middle = (el) => { const [x, y, width, height] = boxOf(el) ?? [0, 0, 0, 0]; return [x + width / 2, y + height / 2]; };

function drag(from, to, begin, end) {
  const dataTransfer = new DataTransfer();
  over(from, begin);
  for (const type of ["pointerdown", "mousedown"]) fire(from, type, begin, { buttons: 1 });
  const carried = from.closest("[draggable=true]");
  if (carried) fire(carried, "dragstart", begin, { dataTransfer });
  for (const at of [begin.map((v, i) => (v + end[i]) / 2), end]) {
    for (const type of ["pointermove", "mousemove"]) fire(hitAt(...at) ?? to, type, at, { buttons: 1 });
  }
  if (carried) for (const type of ["dragenter", "dragover", "drop"]) fire(to, type, end, { dataTransfer });
  if (carried) fire(carried, "dragend", end, { dataTransfer });
  for (const type of ["pointerup", "mouseup"]) fire(hitAt(...end) ?? to, type, end);
}

/** Scroll the innermost box below a point that has room that way; gives how far it went. */
function wheel([x, y], amount) {
  const at = hitAt(x, y);
  if (!at) return null;
  at.dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true, composed: true, clientX: x, clientY: y, deltaY: amount }));
  for (let el = at; el; el = el.parentElement) {
    const before = el.scrollTop, style = getComputedStyle(el).overflowY;
    if (el !== document.scrollingElement && !/auto|scroll/.test(style)) continue;
    el.scrollBy({ top: amount, behavior: "instant" });
    if (el.scrollTop !== before) return el.scrollTop - before;
  }
  return 0;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function met(req) {
  const says = (text) => [document, ...[...document.querySelectorAll("iframe")].map((f) => { try { return f.contentDocument; } catch { return null; } })]
    .some((top) => top?.body?.innerText.replace(/\s+/g, " ").includes(squeeze(text)));
  if (req.text) return says(req.text);
  if (req.gone) return !says(req.gone);
  if (req.url) return new RegExp(req.url).test(location.href);
  const el = req.key ? elementOf(req.key) : null;
  if (req.key) return Boolean(el && shown(el));
  return matching(req.selector).some(shown);
}

const DO = {
  place: (req) => answer(req.key ? elementOf(req.key) : req.focus ? deepFocus() : null),
  look(req) {
    const found = req.sets.map((set) => { const el = bySet(set); return el ? [keyOf(el), el.localName, ...Object.values(called(el)), isSecret(el), el.required === true] : null; });
    const headings = [...document.querySelectorAll("h1,h2,h3")].filter(shown).slice(0, 5).map((el) => cap(textOf(el), 120));
    return { ...place(), found, headings };
  },
  reach(req) {
    const { count, el } = meant(req);
    const box = el && req.scroll ? boxOf(el) : null;
    if (box && (box[1] < 0 || box[1] + box[3] > innerHeight || box[0] < 0 || box[0] + box[2] > innerWidth)) el.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    return { ...place(), count, element: el && compared(el, req.set) };
  },
  find: (req) => ({ ...place(), found: req.selectors.map((selector) => { const { el } = single(selector); return el ? Object.values(called(el)) : null; }) }),
  facts: (req) => ({ ...place(), found: req.keys.map((key, at) => { const el = elementOf(key); return el && compared(el, req.sets[at]); }) }),
  focus(req) { const { count, el } = meant(req); el?.focus({ preventScroll: true }); return answer(el, { count }); },
  describe: (req) => ({ ...place(), found: req.keys.map((key) => { const el = elementOf(key); return el && describe(el); }) }),
  boxes: (req) => ({ ...place(), width: innerWidth, found: req.keys.map((key) => { const el = elementOf(key); return el && shown(el) ? boxOf(el) : null; }) }),
  spot(req) {
    const [x, y] = req.point ?? [];
    const hit = req.point ? (x >= 0 && y >= 0 && x < innerWidth && y < innerHeight ? hitAt(x, y) : null) : deepFocus();
    return answer(hit && req.point ? worthNaming(hit) : hit, { control: Boolean(hit && worthNaming(hit).matches(CONTROLS)) });
  },
  hover(req) { const { count, el } = meant(req); if (el) over(el, req.at ?? middle(el)); return answer(el, { count }); },
  press(req) {
    const el = elementOf(req.key), at = req.at ?? middle(el);
    const hit = hitAt(...at) ?? el;
    for (let n = 1; n <= req.times; n++) press(hit, at, n);
    if (req.times > 1) fire(hit, "dblclick", at, { detail: 2 });
    return answer(el);
  },
  drag(req) {
    const [from, to] = [elementOf(req.key), elementOf(req.to_key)];
    drag(from, to, req.at ?? middle(from), req.to ?? middle(to));
    return answer(from);
  },
  wheel: (req) => ({ ...place(), moved: wheel(req.at, req.amount) }),
  type(req) {
    const el = elementOf(req.key);
    if (deepFocus() !== el) el.focus({ preventScroll: true });
    return answer(el, { typed: el.ownerDocument.execCommand("insertText", false, req.text) });
  },
  async wait(req) {
    for (const end = performance.now() + req.ms; ;) {
      let is = false;
      try { is = met(req); } catch { return { ...place(), met: false, wrong: true }; }
      if (is || performance.now() >= end) return { ...place(), met: is };
      await pause(50);
    }
  },
  async settled(req) {
    for (const end = performance.now() + req.ms; document.readyState === "loading" && performance.now() < end;) await pause(30);
    return DO.place(req);
  },
  storage: () => ({ ...place(), origin: origin, items: Object.entries(localStorage).map(([name, value]) => ({ name, value })) }),
};

function describe(el) {
  const attributes = {};
  for (const name of DESCRIBED) if (el.hasAttribute(name) && !(name === "value" && isSecret(el))) attributes[name] = el.getAttribute(name).slice(0, 200);
  const { css, xpath, frame, shadow } = waysTo(el);
  return { tag: el.localName, attributes, ways: { css, xpath, frame, shadow }, label: cap(textOf(el), 200), box: boxOf(el) };
}

return (req) => DO[req.do](req);
