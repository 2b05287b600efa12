// Elements and texts as the document spells them, for who writes an observation in another form than ours: tag,
// attributes, structural selectors, visible text, what a field holds. Nothing of what a secret field holds.

const SPELT = ["title", "type", "name", "role", "tabindex", "aria-label", "placeholder", "value", "alt", "src", "href",
  "aria-expanded", "disabled"];
const SPELT_CHARS = 200;
const HELD_CHARS = 20000;
const MOST_CHOICES = 50;
const MOST_LABEL_TEXTS = 20;
const PRESSABLE = /^(checkbox|radio|button|submit|reset|image|hidden)$/;

/** What stands behind each key (of an element, or of a text of the last view), or null. `req`: {keys}. */
function spell(req) {
  const trees = new Map(), texts = new Map(), view = [...views.values()].at(-1);
  if (req.keys.some((key) => key.includes("t"))) for (const n of view?.nodes ?? []) if (n.parts) texts.set(n.key, n.parts);
  return req.keys.map((key) => {
    if (key.includes("t")) return texts.has(key) ? { tag: "", label: texts.get(key).join("\n") } : null;
    const el = elementOf(Number(key));
    return el?.isConnected ? spellElement(el, trees) : null;
  });
}

function spellElement(el, trees) {
  const root = el.getRootNode(), role = roleOf(el);
  if (!trees.has(root)) trees.set(root, new Paths(root));
  const { css, xpath } = trees.get(root).of(el), { frame, shadow } = trees.get(root);
  return { tag: el.localName, attributes: attributesOf(el), css, xpath, frame, shadow,
    label: visibleText(el), box: boxOf(el), ...labelTexts(el, role), held: heldBy(el, role) };
}

/** Structural selectors of one tree (see `cssOf`, `xpathOf`), for many elements at once: what is asked of siblings is asked once. */
class Paths {
  constructor(root) {
    this.shadow = root.nodeType === 11;
    this.trees = treesBelow(this.shadow ? root.host : root);
    this.frame = framesOf((root.host ?? root).ownerDocument?.defaultView ?? root.defaultView);
    this.host = this.shadow ? cssOf(root.host) : "";
    this.known = new Map();
    this.places = new Map();
    this.counts = {};
  }

  of(el) {
    const { short, xpath } = this.path(el);
    return { css: this.shadow ? `${this.host} >> ${short}` : short, xpath: this.shadow ? null : xpath };
  }

  path(el) {
    if (this.known.has(el)) return this.known.get(el);
    const up = el.parentElement, above = up ? this.path(up) : { css: this.shadow ? ":scope" : "", short: "", xpath: "" };
    const [tag, xtag] = this.place(el), own = this.once("id", el.id) ? `#${CSS.escape(el.id)}` : "";
    const css = own || (above.css ? `${above.css} > ${tag}` : tag);
    const found = { css, short: own || this.named(el) || css, xpath: `${above.xpath}/${xtag}` };
    this.known.set(el, found);
    return found;
  }

  /** A link by where it leads, a field by its name, where no other is like it. */
  named(el) {
    const tag = CSS.escape(el.localName), name = el.getAttribute("name"), href = tag === "a" ? el.getAttribute("href") ?? "" : "";
    if (this.once("name", name)) return tag + attribute("name", name);
    return /^[a-z./_-]{2,60}$/i.test(href) && /[a-z]/i.test(href) && this.once("href", href) ? `a[href="${href}"]` : "";
  }

  /** Whether an attribute has this value in one element alone, and no program made it up. */
  once(name, value) {
    if (!value || isMadeUp(value)) return false;
    this.counts[name] ??= this.count(name);
    return this.counts[name].get(value) === 1;
  }

  count(name) {
    const found = new Map();
    for (const root of this.trees) for (const el of root.querySelectorAll(`[${name}]`)) found.set(el.getAttribute(name), (found.get(el.getAttribute(name)) ?? 0) + 1);
    return found;
  }

  /** An element among its siblings of the same kind, in CSS and in XPath. */
  place(el) {
    const parent = el.parentNode;
    if (!this.places.has(parent)) this.places.set(parent, placesIn(parent));
    return this.places.get(parent).get(el);
  }
}

function placesIn(parent) {
  const kinds = new Map(), places = new Map();
  for (const el of parent.children) push(kinds, `${el.namespaceURI}|${el.localName}`, el);
  for (const like of kinds.values()) like.forEach((el, i) => {
    const xtag = el.namespaceURI === "http://www.w3.org/1999/xhtml" ? el.localName : `*[name()="${el.nodeName}"]`, tag = CSS.escape(el.localName);
    places.set(el, like.length > 1 ? [`${tag}:nth-of-type(${i + 1})`, `${xtag}[${i + 1}]`] : [tag, xtag]);
  });
  return places;
}

function attributesOf(el) {
  const found = {};
  for (const name of SPELT) {
    const value = el.getAttribute(name);
    if (value !== null && !(name === "value" && isSecret(el))) found[name] = cap(value, SPELT_CHARS);
  }
  return found;
}

function visibleText(el) {
  if (el.localName === "select") return cap(optionLabels(el).join("\n"), 4000);
  if (/^(input|textarea)$/.test(el.localName)) return "";
  const alone = el.childElementCount === 0 && !el.shadowRoot;
  return cap(squeeze(alone || el.innerText === undefined ? fullText(el, 4000) : el.innerText || fullText(el, 4000)), SPELT_CHARS);
}

/** The texts of an element's labels, those that stand before it and those that stand after it. */
function labelTexts(el, role) {
  const out = { before: [], after: [] };
  if (!FIELDS.has(role)) return out;
  for (const label of el.labels ?? []) {
    if (label.control !== el || !rendered(label)) continue;
    const texts = label.ownerDocument.createTreeWalker(label, NodeFilter.SHOW_TEXT);
    for (let n = 0; n < MOST_LABEL_TEXTS && texts.nextNode(); n++) {
      const node = texts.currentNode, text = cap(squeeze(node.data), SPELT_CHARS);
      if (!text || el.contains(node) || node.parentElement.closest("select,textarea,button")) continue;
      const before = el.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_PRECEDING;
      (before ? out.before : out.after).push(text);
    }
  }
  return out;
}

/** What an element holds now; what does not apply to it is left out. */
function heldBy(el, role) {
  const out = {}, said = (name) => ({ true: true, false: false })[el.getAttribute(`aria-${name}`)];
  const checked = el.localName === "input" && /^(checkbox|radio)$/.test(el.type);
  if (checked) out.checked = el.checked;
  else if (said("checked") !== undefined) out.checked = said("checked");
  if (checked ? el.indeterminate : el.getAttribute("aria-checked") === "mixed") Object.assign(out, { checked: false, mixed: true });
  if (isSecret(el)) out.filled = el.value !== "";
  else if (el.localName === "select") Object.assign(out, choicesOf(el));
  else holdText(out, textIn(el));
  out.expanded = role === "summary" ? el.parentElement?.open === true : said("expanded");
  out.selected = said("selected");
  out.pressed = el.getAttribute("aria-pressed") === "mixed" ? "mixed" : said("pressed");
  return out;
}

function textIn(el) {
  if (el.localName === "textarea") return el.value;
  if (el.localName === "input") return el.type === "file" ? [...el.files].map((f) => f.name).join(", ") : PRESSABLE.test(el.type) ? null : el.value;
  return el.isContentEditable && isEditingHost(el) ? el.innerText : null;
}

function holdText(out, text) {
  if (text === null) return;
  out.value = text.slice(0, HELD_CHARS);
  out.length = text.length;
}

function choicesOf(el) {
  const out = { multiple: el.multiple, choices: [], choice_count: el.options.length };
  holdText(out, el.value);
  for (const [i, o] of [...el.options].entries()) {
    if (i >= MOST_CHOICES && !o.selected) continue;
    const disabled = o.disabled || o.parentElement?.localName === "optgroup" && o.parentElement.disabled;
    out.choices.push([cap(o.value, SPELT_CHARS), cap(squeeze(o.label), SPELT_CHARS), o.selected, disabled]);
  }
  return out;
}
