// One walk over what is rendered: elements, groups and texts in reading order, through open
// shadow roots and frames of the same origin. Frames of another origin become places that the
// caller fills from their own world. Nothing hidden is collected.

const SKIPPED = new Set(["script", "style", "template", "noscript", "head", "meta", "link", "title", "base",
  "x-pw-glass", "notte-marks", "br", "wbr", "source", "track", "param", "datalist", "colgroup", "col"]);
const GROUP_ROLES = new Set(["dialog", "alertdialog", "form", "heading", "navigation", "list", "table", "grid", "group",
  "radiogroup", "region", "search", "tablist", "toolbar", "menu", "menubar", "tree", "frame"]);
const CONTROLS = "a[href],button,input,select,textarea,[role=button],[role=link]";
const NO_STATES = Object.freeze([]);
const ROW_ROLES = new Set(["listitem", "row", "article"]);
const INLINE = /^(inline|contents|ruby)/;
// These can host no shadow root (HTML, attachShadow), or only through a closed door.
const NO_SHADOW = new Set(["a", "button", "li", "ul", "ol", "td", "th", "tr", "tbody", "thead", "table", "label", "input",
  "select", "textarea", "form", "b", "i", "em", "strong", "svg", "img", "dl", "dt", "dd", "fieldset", "legend", "summary", "iframe"]);
const MAX_NODES = 60000;
const MAX_DEPTH = 400;

const keys = new WeakMap();
const byKey = new Map();
let lastKey = 0;

/** The element's key in this world: an integer that is never given again. */
function keyOf(el) {
  let key = keys.get(el);
  if (key === undefined) {
    key = ++lastKey;
    keys.set(el, key);
    byKey.set(key, new WeakRef(el));
  }
  return key;
}

/** The element of a key; null when it is gone, or its frame's document was left. */
function elementOf(key) {
  const el = byKey.get(key)?.deref();
  return el?.ownerDocument.defaultView ? el : null;
}

/**
 * A walk of `doc`: {nodes, frames}. Nodes are in reading order; see `Walk.node` for their fields. After `enough`
 * nodes, rows below the viewport are only noted (kind `later`): nobody will see them before asking for more.
 */
function walkDocument(doc, enough = Infinity) {
  readSheets(doc, true);
  const walk = new Walk(doc, enough);
  const root = doc.body ?? doc.documentElement;
  if (root) walk.children(root, walk.start(doc));
  walk.flush();
  return walk;
}

class Walk {
  constructor(doc, enough = Infinity) {
    this.nodes = [];
    this.enough = enough;
    this.frames = [];
    this.run = "";
    this.runBox = null;
    this.parts = []; // of the run, as elements within it divide it
    this.runs = new Map();
    this.cards = new Map();
    this.level = 0;
    this.width = doc.defaultView.innerWidth;
    this.height = doc.defaultView.innerHeight;
  }

  /** What a document's content begins with. x, y: the frame's place in the viewport; sx, sy: what scrolling has moved away. */
  start(doc, at = {}) {
    return { group: -1, depth: 0, row: 0, dialog: false, opaque: false, covered: false, clipped: false, shown: true,
      pointer: false, spare: null, below: null, x: 0, y: 0, ...at, sx: doc.defaultView.scrollX, sy: doc.defaultView.scrollY };
  }

  children(parent, ctx) {
    const tag = parent.localName;
    if (tag === "details" && !parent.open && !parent.shadowRoot) {
      const summary = [...parent.children].find((c) => c.localName === "summary");
      if (summary) this.element(summary, ctx);
      return;
    }
    const nodes = tag === "slot" ? flatChildren(parent) : null;
    if (nodes && nodes !== parent.childNodes) {
      for (const node of nodes) this.child(node, parent, ctx);
      return;
    }
    const root = NO_SHADOW.has(tag) ? null : parent.shadowRoot;
    if (root) readSheets(root, false);
    for (let node = (root ?? parent).firstChild; node; node = node.nextSibling) this.child(node, parent, ctx);
  }

  child(node, parent, ctx) {
    if (this.nodes.length > MAX_NODES) return;
    if (node.nodeType === 1) this.element(node, ctx);
    else if (node.nodeType === 3 && !ctx.covered && !ctx.opaque && !ctx.clipped && ctx.shown) this.text(node, parent, ctx);
  }

  text(node, parent, ctx) {
    const text = node.data;
    if (text.length < 40 && !/\S/.test(text)) {
      if (this.run) this.run += " ";
      return;
    }
    if (!this.run) {
      this.runBox = parent;
      this.runCtx = ctx;
      this.parts = [];
    }
    if (this.run.length < 2000) {
      this.run += text.slice(0, 2000);
      this.parts.push(text.slice(0, 2000));
    }
  }

  /** End the current run of text: it becomes one node, keyed by the box that it began in. */
  flush() {
    if (!this.run) return;
    const text = squeeze(this.run).replace(PRIVATE_USE, "");
    const box = this.runBox, ctx = this.runCtx;
    this.run = "";
    this.runBox = null;
    if (!text || !/[\p{L}\p{N}\p{S}\p{P}]/u.test(text)) return;
    const style = getComputedStyle(box);
    if (style.fontSize === "0px" || /^-\d{3,}|^-\d+%/.test(style.textIndent)) return;
    const rect = this.boxOf(box, ctx);
    if (!this.reachable(rect, ctx) && style.display !== "contents") return;
    const nth = this.runs.get(box) ?? 0;
    this.runs.set(box, nth + 1);
    const node = this.node(`${keyOf(box)}t${nth}`, "text", "text", cap(text, NAME_LIMIT * 2), ctx, rect, null);
    if (this.parts.length > 1 || text.length > 400) node.parts = this.parts.map(squeeze).filter(Boolean);
    this.nodes.push(node);
  }

  element(el, ctx) {
    const tag = el.localName;
    if (tag === "br" && this.run) this.run += " ";
    if (SKIPPED.has(tag) || this.level > MAX_DEPTH) return;
    const style = getComputedStyle(el), display = style.display;
    if (display === "none") return;
    const bare = !el.hasAttributes();
    if (!bare && (el.ariaHidden === "true" || el.inert) || tag !== "details" && style.contentVisibility === "hidden") return;
    const inline = INLINE.test(display);
    if (!inline) this.flush();
    const role = roleOf(el);
    const next = this.context(el, role, style, ctx, bare);
    this.level++;
    if (this.nodes.length >= this.enough && isLater(el, next, ctx)) later(this, el, next);
    else if (tag === "iframe" || tag === "frame") this.frame(el, next);
    else if (tag === "svg") this.graphic(el, role, next, ctx);
    else this.collect(el, role, next, ctx, bare);
    this.level--;
    if (!inline) this.flush();
  }

  /** What the element's content inherits: visibility, scrolling, row, dialog. */
  context(el, role, style, ctx, bare) {
    const next = { ...ctx };
    next.shown = style.visibility === "visible";
    if (style.opacity === "0") next.opaque = true;
    next.pointer = style.cursor === "pointer";
    this.clip(el, style, next, bare);
    if (!bare) {
      if (role === "dialog" || role === "alertdialog" || el.getAttribute("aria-modal") === "true") next.dialog = true;
      if (sheets.filters && /opacity\(0(%|\))/.test(style.filter)) next.opaque = true;
    }
    if (next.below && style.position !== "static" && style.position !== "relative") next.below = null;
    if (ROW_ROLES.has(role) || !bare && isCard(this.cards, el)) {
      next.row = keyOf(el);
      next.below ??= belowView(this, el, next);
    }
    return next;
  }

  boxOf(el, ctx) {
    return ctx.below && el.firstChild ? ctx.below : el.getBoundingClientRect();
  }

  /** Note what clips the content away (visually hidden labels, collapsed panels), and how far a box is scrolled. */
  clip(el, style, next, bare) {
    if (next.clipped && next.clipped !== "fixed" && /^(absolute|fixed)$/.test(style.position)) next.clipped = false;
    if ((sheets.clips || !bare && el.hasAttribute("style")) && el !== el.ownerDocument.body) {
      const { clip, clipPath } = style;
      if (/^rect\(0(px)?[, ]+0(px)?[, ]+0(px)?[, ]+0(px)?\)$/.test(clip) || /^inset\((50|100)%\)|^circle\(0(px|%)?( |\))/.test(clipPath)) next.clipped = "fixed";
    }
    const overflow = style.overflowY;
    if (overflow === "visible" || style.display === "inline") return;
    if (el.clientWidth <= 1 && el.clientHeight <= 1 || el.offsetHeight === 0 || el.offsetWidth === 0) {
      next.clipped ||= style.position === "static" ? "flow" : "fixed";
    } else if (overflow !== "clip") {
      next.sx += el.scrollLeft;
      next.sy += el.scrollTop;
    }
  }

  collect(el, role, next, ctx, bare) {
    const visible = next.shown;
    if (visible && isInteractive(el, role)) {
      this.flush();
      if (this.push(el, "element", role, next)) next.covered = true;
      const tag = el.localName;
      if (tag === "select" || tag === "textarea" || tag === "input") return;
      if (role === "textbox" && !el.shadowRoot) return;
    } else if (visible && !ctx.covered && this.clickable(el, role, next, ctx, bare)) {
      this.flush();
      if (this.push(el, "element", "clickable", next)) next.covered = true;
    } else if (visible && GROUP_ROLES.has(role)) {
      this.group(el, role, next, ctx);
      if (role === "heading") next.covered = true;
    } else if (visible && role === "img" && !ctx.covered) {
      this.push(el, "text", "img", next);
    } else if (role === "progressbar" || role === "meter") {
      if (visible) this.push(el, "group", role, next);
      return;
    } else if (el.localName === "label" && el.control && rendered(el.control)) {
      next.covered = true; // its text is the control's name
    } else if (role === "legend" || role === "caption") {
      next.covered = true;
    }
    this.children(el, next);
  }

  /** What only a pointer cursor, a listener or an inline handler makes clickable. */
  clickable(el, role, next, ctx, bare) {
    const listens = listening.has(el) || !bare && (el.hasAttribute("onclick") || el.hasAttribute("onmousedown"));
    if (!listens && !(next.pointer && (!ctx.pointer || ctx.spare?.left))) return false;
    if (el === el.ownerDocument.body || role === "listbox" || el.localName === "label") return false;
    // A container of controls is not what a person would click; the first of its other parts stands for it.
    if (el.querySelector(CONTROLS)) {
      if (next.pointer && !next.spare) next.spare = { left: 1 };
      return false;
    }
    if (listens) {
      const rect = el.getBoundingClientRect();
      if (rect.width * rect.height > this.width * this.height * 0.5) return false;
      if ([...el.querySelectorAll("*")].slice(0, 200).some((c) => listening.has(c))) return false;
    } else if (ctx.pointer) {
      if (!squeeze(el.textContent.slice(0, 400))) return false;
      next.spare.left = 0;
    }
    return true;
  }

  group(el, role, next, ctx) {
    const given = nameOf(el, role);
    const name = role === "form" && !given ? squeeze(el.getAttribute("name") ?? "") : given;
    const items = role === "list" || role === "table" || role === "grid" ? countItems(el, role) : 0;
    if (!name && !/^(dialog|alertdialog|form|heading)$/.test(role) && items < 8) return;
    if (role === "heading" && !name) return;
    this.flush();
    const rect = el.getBoundingClientRect();
    if (role === "heading" && (ctx.clipped || ctx.opaque || !this.reachable(rect, next))) return;
    const at = this.nodes.length;
    const node = this.node(String(keyOf(el)), "group", role, name, next, rect, el);
    node.depth = ctx.depth;
    node.group = ctx.group;
    if (items >= 8) node.value = `${items} items`;
    if (next.dialog && (el.localName === "dialog" && el.matches(":modal") || el.getAttribute("aria-modal") === "true")) node.states = ["modal"];
    this.nodes.push(node);
    if (role !== "heading") {
      next.group = at;
      next.depth = ctx.depth + 1;
    }
  }

  /** An SVG is an image, or holds what can be clicked; it has no text flow. */
  graphic(el, role, next, ctx) {
    if (!next.shown || ctx.covered) return;
    if (this.clickable(el, role, next, ctx, false)) {
      this.push(el, "element", "clickable", next);
      return;
    }
    const name = nameOf(el, "img");
    if (name) this.push(el, "text", "img", next);
    let left = 500;
    for (const child of el.querySelectorAll("*")) {
      if (left-- < 0 || this.nodes.length > MAX_NODES) return;
      const cursor = getComputedStyle(child).cursor === "pointer" && (child.parentElement === el ? !next.pointer : getComputedStyle(child.parentElement).cursor !== "pointer");
      if (cursor || listening.has(child) || child.hasAttribute("onclick") || child.localName === "a") {
        this.push(child, "element", child.localName === "a" ? "link" : "clickable", next);
      } else if (child.localName === "text") this.push(child, "text", "text", next);
    }
  }

  frame(el, next) {
    if (!next.shown || next.opaque || next.clipped) return;
    const rect = el.getBoundingClientRect();
    if (rect.width < 2 || rect.height < 2 || !this.reachable(rect, next)) return;
    const at = this.nodes.length;
    const name = squeeze(el.getAttribute("aria-label") ?? el.title ?? "") || squeeze(el.name ?? "");
    const node = this.node(String(keyOf(el)), "group", "frame", name, next, rect, el);
    this.nodes.push(node);
    let doc = null;
    try { doc = el.contentDocument; } catch { /* another origin */ }
    if (doc?.body) {
      readSheets(doc, false);
      const { dialog, row } = next;
      this.children(doc.body, this.start(doc, { group: at, depth: next.depth + 1, dialog, row,
        x: next.x + rect.left + el.clientLeft, y: next.y + rect.top + el.clientTop }));
      this.flush();
    } else {
      node.frame = keyOf(el);
      this.frames.push(node.frame);
    }
  }

  push(el, kind, role, next) {
    let rect = this.boxOf(el, next);
    const hidden = next.clipped || next.opaque && !(el.localName === "input" || el.localName === "select");
    if ((hidden || !this.reachable(rect, next)) && (next.clipped || next.opaque || getComputedStyle(el).display !== "contents")) {
      // A checkbox that only its label shows is there for whoever clicks the label.
      const label = FIELDS.has(role) && el.labels?.length ? [...el.labels].find((l) => seen(l)) : null;
      if (!label) return false;
      rect = label.getBoundingClientRect();
      if (!this.reachable(rect, next)) return false;
    }
    const name = kind === "text" && role === "text" ? squeeze(el.textContent) : nameOf(el, role);
    if (kind === "text" && !name) return false;
    const node = this.node(String(keyOf(el)), kind, role, name, next, rect, el);
    node.value = valueOf(el, role);
    node.states = statesOf(el, role);
    if (kind === "element" && !name) node.hint = hintOf(el, role);
    this.nodes.push(node);
    return true;
  }

  /** p: 0 in a dialog, 1 in the viewport, 2 a form's field, 3 what follows the viewport, 4 what was scrolled past. */
  node(key, kind, role, name, ctx, rect, el) {
    const top = rect.top + ctx.y, left = rect.left + ctx.x;
    const inView = top < this.height && top + rect.height > 0 && left < this.width && left + rect.width > 0;
    const p = ctx.dialog ? 0 : inView ? 1 : FIELDS.has(role) ? 2 : top + rect.height > 0 ? 3 : 4;
    return { key, kind, role, name, depth: ctx.depth, group: ctx.group, row: ctx.row, p, value: null, states: NO_STATES, hint: "", el, i: 0 };
  }

  /** Whether a rectangle has an area and lies where scrolling can bring it. */
  reachable(rect, ctx) {
    const { width, height } = rect;
    if (width <= 1 && height <= 1) return false;
    return rect.left + width + ctx.sx > 0 && rect.top + height + ctx.sy > 0;
  }

}
