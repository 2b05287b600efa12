// One walk over what is rendered: elements, groups and texts in reading order, through open
// shadow roots and frames of the same origin. Frames of another origin become places that the
// caller fills from their own world. Nothing hidden is collected.

const SKIPPED = new Set(["script", "style", "template", "noscript", "head", "meta", "link", "title", "base",
  "x-pw-glass", "notte-marks", "br", "wbr", "source", "track", "param", "datalist", "colgroup", "col"]);
const GROUP_ROLES = new Set(["dialog", "alertdialog", "form", "heading", "navigation", "list", "table", "grid", "group",
  "radiogroup", "region", "search", "tablist", "toolbar", "menu", "menubar", "tree", "frame"]);
const ROW_ROLES = new Set(["listitem", "row", "article"]);
const INLINE = /^(inline|contents|ruby|inline-block|inline-flex)/;
const MAX_NODES = 60000;
const MAX_DEPTH = 400;

const keys = new WeakMap();
const byKey = new Map();
let lastKey = 0;
const listening = new WeakSet();

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

function elementOf(key) {
  return byKey.get(key)?.deref() ?? null;
}

/** A walk of `doc`: {nodes, frames}. Nodes are in reading order; see `Walk.push` for their fields. */
function walkDocument(doc) {
  readGenerated(doc);
  const walk = new Walk(doc);
  const root = doc.body ?? doc.documentElement;
  if (root) walk.children(root, { group: -1, depth: 0, row: 0, form: false, dialog: false, opaque: false, covered: false, level: 0, x: 0, y: 0, pointer: false });
  walk.flush();
  return walk;
}

class Walk {
  constructor(doc) {
    this.nodes = [];
    this.frames = [];
    this.run = "";
    this.runBox = null;
    this.runs = new Map();
    this.cards = new Map();
    this.width = doc.defaultView.innerWidth;
    this.height = doc.defaultView.innerHeight;
    this.win = doc.defaultView;
  }

  children(parent, ctx) {
    if (parent.localName === "details" && !parent.open && !parent.shadowRoot) {
      const summary = [...parent.children].find((c) => c.localName === "summary");
      if (summary) this.element(summary, ctx);
      return;
    }
    for (const node of flatChildren(parent)) {
      if (this.nodes.length > MAX_NODES) return;
      if (node.nodeType === 1) this.element(node, ctx);
      else if (node.nodeType === 3 && !ctx.covered && !ctx.opaque && ctx.shown !== false) this.text(node, parent, ctx);
    }
  }

  text(node, parent, ctx) {
    const text = node.data;
    if (text.length < 40 && !/\S/.test(text)) {
      if (this.run) this.run += " ";
      return;
    }
    if (!this.run) {
      this.runBox = parent.nodeType === 1 ? parent : parent.host ?? parent;
      this.runCtx = ctx;
    }
    if (this.run.length < 2000) this.run += text.slice(0, 2000);
  }

  /** End the current run of text: it becomes one node, keyed by the box that it began in. */
  flush() {
    const text = squeeze(this.run).replace(PRIVATE_USE, "");
    const box = this.runBox;
    this.run = "";
    this.runBox = null;
    if (!text || !box || !/[\p{L}\p{N}\p{S}\p{P}]/u.test(text)) return;
    const rect = box.getBoundingClientRect();
    if (!this.reachable(rect, this.runCtx) && getComputedStyle(box).display !== "contents") return;
    const nth = this.runs.get(box) ?? 0;
    this.runs.set(box, nth + 1);
    this.nodes.push(this.node(`${keyOf(box)}t${nth}`, "text", "text", cap(text, NAME_LIMIT * 2), this.runCtx, rect, null));
  }

  element(el, ctx) {
    const tag = el.localName;
    if (tag === "br" && this.run) this.run += " ";
    if (SKIPPED.has(tag) || ctx.level > MAX_DEPTH) return;
    const style = getComputedStyle(el);
    if (style.display === "none" || style.contentVisibility === "hidden" && tag !== "details") return;
    if (el.ariaHidden === "true" || el.inert) return;
    const inline = INLINE.test(style.display);
    if (!inline) this.flush();
    const role = roleOf(el);
    const next = this.context(el, role, style, ctx);
    if (tag === "iframe" || tag === "frame") this.frame(el, next, style);
    else if (tag === "svg") this.graphic(el, role, next, style, ctx);
    else this.collect(el, role, next, style, ctx);
    if (!inline) this.flush();
  }

  /** What the element's content inherits: visibility, row, form, dialog. */
  context(el, role, style, ctx) {
    const next = { ...ctx, level: ctx.level + 1 };
    next.shown = style.visibility === "visible" && !this.clipped(el, style) && parseFloat(style.fontSize) > 0;
    next.opaque = ctx.opaque || style.opacity === "0";
    next.pointer = style.cursor === "pointer";
    if (role === "form") next.form = true;
    if (role === "dialog" || role === "alertdialog" || el.getAttribute("aria-modal") === "true") next.dialog = true;
    if (ROW_ROLES.has(role) || this.isCard(el)) next.row = keyOf(el);
    return next;
  }

  collect(el, role, next, style, ctx) {
    const visible = style.visibility === "visible";
    if (visible && INTERACTIVE.has(role) && !(role === "option" && el.localName === "option")) {
      this.flush();
      if (this.push(el, "element", role, next)) next.covered = true;
      if (el.localName === "select" || el.localName === "textarea" || el.localName === "input") return;
      if (role === "textbox" && !el.shadowRoot) return;
    } else if (visible && !ctx.covered && this.clickable(el, role, next, ctx)) {
      this.flush();
      if (this.push(el, "element", "clickable", next)) next.covered = true;
    } else if (GROUP_ROLES.has(role) && visible) {
      this.group(el, role, next, ctx);
      if (role === "heading") next.covered = true;
    } else if (role === "img" && visible && !ctx.covered) {
      this.push(el, "text", "img", next);
    } else if (el.localName === "label" && el.control && rendered(el.control)) {
      next.covered = true; // its text is the control's name
    } else if (role === "legend" || role === "caption") {
      next.covered = true;
    }
    this.children(el, next);
  }

  /** What only a pointer cursor, a listener or an inline handler makes clickable. */
  clickable(el, role, next, ctx) {
    const listens = listening.has(el) || el.hasAttribute("onclick") || el.hasAttribute("onmousedown");
    if (!listens && !(next.pointer && !ctx.pointer)) return false;
    if (el === el.ownerDocument.body || role === "listbox" || el.localName === "label" || el.localName === "label" && el.control) return false;
    // A container that listens for its children's clicks is not what a person would click.
    if (el.querySelector("a[href],button,input,select,textarea,[role=button],[role=link]")) return false;
    if (listens) {
      const rect = el.getBoundingClientRect();
      if (rect.width * rect.height > this.width * this.height * 0.5) return false;
      if ([...el.querySelectorAll("*")].slice(0, 200).some((c) => listening.has(c))) return false;
    }
    return true;
  }

  group(el, role, next, ctx) {
    const name = role === "form" && !nameOf(el, role) ? squeeze(el.getAttribute("name") ?? el.id ?? "") : nameOf(el, role);
    const items = role === "list" || role === "table" || role === "grid" ? countItems(el, role) : 0;
    if (!name && !/^(dialog|alertdialog|form|heading)$/.test(role) && items < 8) return;
    if (role === "heading" && !name) return;
    this.flush();
    const at = this.nodes.length;
    const node = this.node(String(keyOf(el)), "group", role, name, next, el.getBoundingClientRect(), el);
    node.depth = ctx.depth;
    node.group = ctx.group;
    if (items >= 8) node.value = `${items} items`;
    if (role === "dialog" && el.matches(":modal") || el.getAttribute("aria-modal") === "true") node.states = ["modal"];
    if (role === "heading" && !this.reachable(el.getBoundingClientRect(), next)) return;
    this.nodes.push(node);
    if (role !== "heading") {
      next.group = at;
      next.depth = ctx.depth + 1;
    }
  }

  /** An SVG is an image, or holds what listens; it has no text flow. */
  graphic(el, role, next, style, ctx) {
    if (style.visibility !== "visible" || ctx.covered) return;
    if (this.clickable(el, role, next, ctx)) this.push(el, "element", "clickable", next);
    else {
      const name = nameOf(el, "img");
      if (name) this.push(el, "text", "img", next);
      for (const child of el.querySelectorAll("*")) {
        if (listening.has(child)) this.push(child, "element", "clickable", next);
      }
      for (const text of el.querySelectorAll("text")) {
        if (this.nodes.length < MAX_NODES && squeeze(text.textContent)) this.push(text, "text", "text", next);
      }
    }
  }

  frame(el, next, style) {
    if (style.visibility !== "visible") return;
    const rect = el.getBoundingClientRect();
    if (rect.width < 2 || rect.height < 2) return;
    const at = this.nodes.length;
    const name = squeeze(el.getAttribute("aria-label") ?? el.title ?? "") || squeeze(el.name ?? "");
    const node = this.node(String(keyOf(el)), "group", "frame", name, next, rect, el);
    this.nodes.push(node);
    const inside = { ...next, group: at, depth: next.depth + 1, row: 0,
      x: next.x + rect.left + el.clientLeft, y: next.y + rect.top + el.clientTop };
    let doc = null;
    try { doc = el.contentDocument; } catch { /* another origin */ }
    if (doc?.body) {
      this.children(doc.body, inside);
      this.flush();
    } else {
      node.frame = keyOf(el);
      this.frames.push(node.frame);
    }
  }

  push(el, kind, role, next) {
    const rect = el.getBoundingClientRect();
    if (!this.reachable(rect, next) && getComputedStyle(el).display !== "contents") return false;
    let name = nameOf(el, role);
    if (kind === "text" && role === "text") name = squeeze(el.textContent);
    if (kind === "text" && !name) return false;
    if (role === "clickable" && !name) name = "";
    const node = this.node(String(keyOf(el)), kind, role, name, next, rect, el);
    node.value = valueOf(el, role);
    node.states = statesOf(el, role);
    if (kind === "element" && !name) node.hint = hintOf(el);
    this.nodes.push(node);
    return true;
  }

  /** p: 0 in a dialog, 1 in the viewport, 2 a form's field, 3 the rest. */
  node(key, kind, role, name, ctx, rect, el) {
    const top = rect.top + ctx.y, left = rect.left + ctx.x;
    const inView = top < this.height && top + rect.height > 0 && left < this.width && left + rect.width > 0;
    const p = ctx.dialog ? 0 : inView ? 1 : FIELDS.has(role) ? 2 : 3;
    return { key, kind, role, name, depth: ctx.depth, group: ctx.group, row: ctx.row, p, value: null, states: [], hint: "", el };
  }

  /** Whether a rectangle has an area and lies where scrolling can bring it. */
  reachable(rect, ctx) {
    if (rect.width <= 1 && rect.height <= 1) return false;
    return rect.right + ctx.x + this.win.scrollX > 0 && rect.bottom + ctx.y + this.win.scrollY > 0;
  }

  /** Whether the element clips its content away (visually hidden labels, collapsed panels). */
  clipped(el, style) {
    if (style.overflow === "visible" && style.clip === "auto" && style.clipPath === "none") return false;
    if (/^rect\(0(px)?[, ]+0(px)?[, ]+0(px)?[, ]+0(px)?\)$/.test(style.clip) || /^inset\((50|100)%\)$/.test(style.clipPath)) return true;
    if (style.overflow === "visible") return false;
    return el.clientWidth <= 1 && el.clientHeight <= 1 && style.display !== "inline" || el.offsetHeight === 0 && style.overflowY !== "visible";
  }

  /** A card: one of at least three siblings of one tag and class. */
  isCard(el) {
    if (el.localName !== "div" && el.localName !== "section" && el.localName !== "a") return false;
    const parent = el.parentElement;
    if (!parent || !el.className || typeof el.className !== "string") return false;
    let shapes = this.cards.get(parent);
    if (!shapes) {
      shapes = new Map();
      for (const child of parent.children) {
        const shape = `${child.localName}.${child.className}`;
        shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
      }
      this.cards.set(parent, shapes);
    }
    return (shapes.get(`${el.localName}.${el.className}`) ?? 0) >= 3;
  }
}

function countItems(el, role) {
  if (role !== "list") return el.querySelectorAll("tr,[role=row]").length;
  let count = 0;
  for (const child of el.children) if (roleOf(child) === "listitem") count++;
  return count;
}

/** What tells a nameless element from its likes: a test id, an icon, a class, an image, a colour. */
function hintOf(el) {
  for (const name of ["data-testid", "data-test", "data-action", "data-icon", "data-id", "name", "id"]) {
    const value = el.getAttribute(name);
    if (value) return cap(`[${name}=${squeeze(value)}]`, 40);
  }
  const use = el.querySelector("use");
  if (use) return cap(squeeze(use.getAttribute("href") ?? use.getAttribute("xlink:href") ?? ""), 40);
  const img = el.localName === "img" ? el : el.querySelector("img");
  if (img?.src && !img.src.startsWith("data:")) return cap(img.src.split("/").pop().split("?")[0], 40);
  const inner = el.querySelector("[class]");
  const classes = `${el.getAttribute("class") ?? ""} ${inner ? inner.getAttribute("class") : ""}`;
  const token = classes.split(/\s+/).find((c) => /icon|btn|fa-|close|menu|arrow|next|prev|del|edit|add/i.test(c)) ?? classes.trim().split(/\s+/)[0];
  if (token) return cap(`.${token}`, 40);
  const color = getComputedStyle(el).backgroundColor;
  return color && color !== "rgba(0, 0, 0, 0)" ? color.replace(/\s/g, "") : el.localName;
}
