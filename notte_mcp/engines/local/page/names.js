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
  if (only !== null && only.nodeType === 3 && only.nextSibling === null && el.shadowRoot === null &&
      NAME_FROM_CONTENT.has(role) && !generated && !el.hasAttribute("aria-label") && !el.hasAttribute("aria-labelledby")) {
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
  for (const node of flatChildren(el)) {
    if (parts.length > 400) break;
    if (node.nodeType === 3) {
      parts.push(node.data);
    } else if (node.nodeType === 1) {
      const style = getComputedStyle(node);
      if (!ctx.hidden && (style.display === "none" || style.visibility !== "visible" || node.ariaHidden === "true")) continue;
      if (/^(script|style|template|noscript)$/.test(node.localName)) continue;
      const text = computeName(node, roleOf(node), { seen: ctx.seen, hidden: ctx.hidden, referenced: ctx.referenced });
      parts.push(BLOCK.test(style.display) || node.localName === "br" ? ` ${text} ` : text);
    }
  }
  parts.push(generatedText(el, "::after"));
  return parts.join("");
}

let generated = true;

/** Whether any style sheet may generate content; reading pseudo elements costs as much as all the rest. */
function readGenerated(doc) {
  generated = false;
  let rules = 0;
  for (const sheet of [...doc.styleSheets, ...doc.adoptedStyleSheets]) {
    try {
      for (const rule of sheet.cssRules) {
        if (++rules > 3000 || /::?(before|after)/.test(rule.selectorText ?? (rule.cssRules ? rule.cssText : ""))) {
          generated = true;
          return;
        }
      }
    } catch { // a style sheet of another origin cannot be read
      generated = true;
      return;
    }
  }
}

function generatedText(el, pseudo) {
  if (!generated) return "";
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
