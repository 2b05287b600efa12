// Accessible names after "Accessible Name and Description Computation 1.2" (W3C), step numbers
// in comments. Shadow roots and slots are read as the flat tree, as a screen reader does.

const NAME_LIMIT = 240;
const BLOCK = /^(block|flex|grid|table|list-item|table-cell|table-row|flow-root|inline-block)$/;

// Glyphs of icon fonts live in the private use areas: they say nothing.
const PRIVATE_USE = /[\ue000-\uf8ff]|[\udb80-\udbff][\udc00-\udfff]/g;

/** The accessible name of `el`, on one line, at most NAME_LIMIT characters. */
function nameOf(el, role) {
  // Nearly all buttons and links hold one text and nothing else: no rule but 2F applies to them.
  const only = el.firstChild;
  if (only !== null && only.nodeType === 3 && only.nextSibling === null && (NO_SHADOW.has(el.localName) || el.shadowRoot === null) &&
      NAME_FROM_CONTENT.has(role) && !sheets.generated && !el.hasAttribute("aria-label") && !el.hasAttribute("aria-labelledby")) {
    const text = squeeze(only.data);
    if (text) return cap(text, NAME_LIMIT);
  }
  return cap(squeeze(computeName(el, role, { seen: new Set(), root: true }).replace(PRIVATE_USE, "")), NAME_LIMIT);
}

function computeName(el, role, ctx) {
  if (ctx.seen.has(el)) return "";
  ctx.seen.add(el);
  if (!ctx.referenced) { // 2B: aria-labelledby, once
    const ids = el.getAttribute("aria-labelledby");
    if (ids) {
      const root = el.getRootNode();
      const parts = ids.split(/\s+/).map((id) => id && root.getElementById(id)).filter(Boolean)
        .map((ref) => computeName(ref, roleOf(ref), { seen: new Set(ref === el ? [] : [el]), referenced: true, hidden: !rendered(ref) }));
      const name = squeeze(parts.join(" "));
      if (name) return name;
    }
  }
  if (!ctx.root && FIELDS.has(role)) { // 2C: a control inside a label gives its value
    const value = isSecret(el) ? null : valueOf(el, role);
    if (value !== null && /^(textbox|searchbox|combobox|listbox|slider|spinbutton|date|time)$/.test(role)) return value;
  }
  const label = squeeze(el.getAttribute("aria-label") ?? ""); // 2D
  if (label) return label;
  const native = nativeName(el, role, ctx); // 2E
  if (native) return native;
  if (NAME_FROM_CONTENT.has(role) || !ctx.root) { // 2F, 2G
    const content = squeeze(contentName(el, ctx));
    if (content) return content;
  }
  return squeeze(el.getAttribute("title") ?? "") || squeeze(el.getAttribute("placeholder") ?? ""); // 2I
}

function nativeName(el, role, ctx) {
  const tag = el.localName;
  if (el.labels && el.labels.length && ctx.root) {
    const name = squeeze([...el.labels].map((l) => computeName(l, "", { seen: new Set([el]), hidden: !rendered(l) })).join(" "));
    if (name) return name;
  }
  if (tag === "input") {
    if (/^(button|submit|reset)$/.test(el.type)) {
      return el.value || { submit: "Submit", reset: "Reset", button: "" }[el.type];
    }
    if (el.type === "image") return el.alt || el.title || "Submit";
    return "";
  }
  if (tag === "img" || tag === "area") return el.getAttribute("alt") ?? "";
  const child = { fieldset: "legend", table: "caption", figure: "figcaption" }[tag];
  if (child) {
    const named = [...el.children].find((c) => c.localName === child);
    return named ? computeName(named, "", { seen: ctx.seen }) : "";
  }
  if (tag === "svg") return squeeze(el.querySelector(":scope > title")?.textContent ?? "");
  if (tag === "optgroup" || tag === "option") return el.label ?? "";
  return "";
}

function contentName(el, ctx) {
  const parts = [generatedText(el, "::before")];
  if (el.localName === "slot" || !NO_SHADOW.has(el.localName) && el.shadowRoot) {
    for (const node of flatChildren(el)) addContent(parts, node, ctx);
  } else {
    for (let node = el.firstChild; node && parts.length < 400; node = node.nextSibling) addContent(parts, node, ctx);
  }
  parts.push(generatedText(el, "::after"));
  return parts.join("");
}

function addContent(parts, node, ctx) {
  if (node.nodeType === 3) {
    parts.push(node.data.slice(0, 2000));
  } else if (node.nodeType === 1 && parts.length < 400) {
    const style = getComputedStyle(node);
    if (!ctx.hidden && (style.display === "none" || style.visibility !== "visible" || node.ariaHidden === "true")) return;
    if (/^(script|style|template|noscript)$/.test(node.localName)) return;
    const text = computeName(node, roleOf(node), { seen: ctx.seen, hidden: ctx.hidden, referenced: ctx.referenced });
    parts.push(BLOCK.test(style.display) || node.localName === "br" ? ` ${text} ` : text);
  }
}

// What the style sheets of the documents in hand may do; reading it of every element costs as much as all the rest.
let sheets = { generated: true, clips: true, filters: true };
const sheetsRead = new WeakMap();
const NO_RULES = { generated: false, clips: false, filters: false };
const ANY_RULES = { generated: true, clips: true, filters: true };

/** Note what a document's or a shadow root's sheets do; `anew` forgets those noted before. */
function readSheets(root, anew) {
  if (anew) sheets = { ...NO_RULES };
  for (const list of [root.styleSheets, root.adoptedStyleSheets]) {
    for (const sheet of list) {
      const found = readSheet(sheet);
      for (const name in sheets) sheets[name] ||= found[name];
    }
  }
}

function readSheet(sheet) {
  try {
    const rules = sheet.cssRules, known = sheetsRead.get(sheet);
    if (known?.count === rules.length) return known;
    const found = { ...(rules.length > 3000 ? ANY_RULES : NO_RULES), count: rules.length };
    for (const rule of rules.length > 3000 ? [] : rules) {
      const text = rule.cssText;
      if (/::?(before|after)/.test(text)) found.generated = true;
      if (/[\s;{]clip(-path)?:/.test(text)) found.clips = true;
      if (/filter:[^;]*opacity/.test(text)) found.filters = true;
      if (rule.styleSheet) Object.assign(found, ANY_RULES); // @import
    }
    sheetsRead.set(sheet, found);
    return found;
  } catch { // a style sheet of another origin cannot be read
    return ANY_RULES;
  }
}

function generatedText(el, pseudo) {
  if (!sheets.generated) return "";
  const content = getComputedStyle(el, pseudo).content;
  if (content === "none" || content === "normal" || !/^["']/.test(content)) return "";
  const found = content.match(/"((?:[^"\\]|\\.)*)"(?:\s*\/\s*"((?:[^"\\]|\\.)*)")?/);
  return found ? (found[2] ?? found[1]).replace(/\\(.)/g, "$1") : "";
}

/** The children that are rendered in place: a shadow root's, a slot's assigned nodes, or the element's own. */
function flatChildren(el) {
  if (el.shadowRoot) return el.shadowRoot.childNodes;
  if (el.localName === "slot") {
    const assigned = el.assignedNodes({ flatten: true });
    if (assigned.length) return assigned;
  }
  return el.childNodes;
}

function rendered(el) {
  return el.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: false });
}
