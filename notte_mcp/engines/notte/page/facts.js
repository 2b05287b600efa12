// What the cloud's wire does not tell of an element: which one it is, what a screen reader calls it, where it stands,
// what it holds. Runs in the page's own world, which the page can change: nothing here is trusted more than the page.

// `documentName` is given: what this document is called, and its answers with it.
const keys = new WeakMap(), elements = new Map();
let lastKey = 0;

/** The number of an element within this document: its own for as long as it lives. */
function keyOf(el) {
  let key = keys.get(el);
  if (!key) {
    keys.set(el, key = ++lastKey);
    elements.set(key, new WeakRef(el));
  }
  return key;
}

function elementOf(key) {
  const el = elements.get(key)?.deref();
  return el?.isConnected && el.ownerDocument.defaultView ? el : null;
}

const squeeze = (text) => String(text ?? "").slice(0, 4000).replace(/[\s\u00a0]+/g, " ").trim();
const cap = (text, limit) => (text.length > limit ? `${text.slice(0, limit - 1)}…` : text);

const ROLES = new Set(("link button checkbox radio switch textbox searchbox combobox listbox slider spinbutton option menuitem " +
  "menuitemcheckbox menuitemradio tab treeitem heading img row cell gridcell list listitem dialog alertdialog alert status " +
  "navigation main form region article group table figure").split(" "));
const OF_INPUTS = {
  button: "button", submit: "button", reset: "button", image: "button", checkbox: "checkbox", radio: "radio",
  range: "slider", number: "spinbutton", search: "searchbox", password: "password", file: "file", date: "date",
  month: "date", week: "date", "datetime-local": "date", time: "time", color: "color",
};
const OF_TAGS = {
  button: "button", textarea: "textbox", option: "option", h1: "heading", h2: "heading", h3: "heading", h4: "heading",
  h5: "heading", h6: "heading", li: "listitem", ul: "list", ol: "list", tr: "row", td: "cell", table: "table",
  summary: "summary", dialog: "dialog", nav: "navigation", main: "main", article: "article", form: "form", svg: "img",
};
const FIELDS = new Set("checkbox radio switch textbox searchbox combobox listbox slider spinbutton password file date time color".split(" "));
const NAMED_BY_TEXT = new Set("button link checkbox radio switch option menuitem menuitemcheckbox menuitemradio tab treeitem heading cell gridcell row summary clickable".split(" "));
const CONTROLS = "a[href],button,input,select,textarea,summary,[role=button],[role=link],[role=checkbox],[role=tab],[role=menuitem],[contenteditable]";

function roleOf(el) {
  for (const word of (el.getAttribute("role") ?? "").toLowerCase().split(/\s+/)) if (ROLES.has(word)) return word;
  const tag = el.localName;
  if (tag === "a" || tag === "area") return el.hasAttribute("href") ? "link" : "";
  if (tag === "input") return el.type === "hidden" ? "" : OF_INPUTS[el.type] ?? (el.hasAttribute("list") ? "combobox" : "textbox");
  if (tag === "select") return el.multiple || el.size > 1 ? "listbox" : "combobox";
  if (tag === "img") return el.getAttribute("alt") === "" ? "" : "img";
  if (el.isContentEditable && !el.parentElement?.isContentEditable) return "textbox";
  return OF_TAGS[tag] ?? "";
}

function shown(el) {
  const box = el.getBoundingClientRect();
  return el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && box.width > 0 && box.height > 0;
}

/** The accessible name, by the rules that nearly all pages need. */
function nameOf(el, role = roleOf(el)) {
  const referred = (el.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean)
    .map((id) => el.getRootNode().getElementById?.(id)).filter(Boolean);
  const button = el.localName === "input" && OF_INPUTS[el.type] === "button";
  const found = [
    () => referred.map((ref) => textOf(ref, true)).join(" "),
    () => el.getAttribute("aria-label"),
    () => [...(el.labels ?? [])].map((label) => textOf(label)).join(" "),
    () => button ? el.value || el.alt || { submit: "Submit", reset: "Reset", image: "Submit" }[el.type] : "",
    () => /^(img|area)$/.test(el.localName) ? el.alt : "",
    () => el.localName === "svg" ? el.querySelector(":scope > title")?.textContent : "",
    () => NAMED_BY_TEXT.has(role) ? textOf(el) : "",
    () => el.title?.baseVal ?? el.title,
    () => el.placeholder,
  ];
  for (const step of found) {
    const name = squeeze(step());
    if (name) return cap(name, 240);
  }
  return "";
}

const UNREAD = /^(script|style|template|noscript|select|textarea|input)$/;

/** The text of an element as it is read: shadow roots and pictures with it, fields and what is hidden without. */
function textOf(el, hidden = false) {
  const parts = [];
  const walk = (node) => {
    if (parts.length > 400) return;
    if (node.nodeType === 3) parts.push(node.data.slice(0, 2000));
    if (node.nodeType !== 1 || UNREAD.test(node.localName)) return;
    if (!hidden && node !== el && !node.checkVisibility({ visibilityProperty: true })) return;
    const said = node === el ? "" : node.getAttribute("aria-label") || (node.localName === "img" ? node.alt : "");
    const inline = getComputedStyle(node).display.startsWith("inline") && node.localName !== "br";
    if (said) parts.push(` ${said} `);
    else for (const child of (node.shadowRoot ?? node).childNodes) walk(child);
    if (!inline) parts.push(" "), parts.unshift("");
  };
  walk(el);
  return squeeze(parts.join(""));
}

const SECRET = /\b(current-password|new-password|one-time-code|cc-(number|csc|exp|exp-month|exp-year))\b/;
const HINTS = /(^|[^a-z])(otp|totp|mfa|2fa|cvv2?|cvc2?|csc|one.?time.?(code|password)|verification.?code|security.?code|card.?(number|no)|pin|password|passwd|pass.?code|pass.?phrase)([^a-z]|$)/i;
const onceSecret = new WeakSet();

/** Whether what is typed here must never be kept. Once secret, always secret. */
function isSecret(el) {
  if (onceSecret.has(el)) return true;
  if (el.localName !== "input" && el.localName !== "textarea") return false;
  const words = `${el.name} ${el.id} ${el.placeholder} ${el.getAttribute("aria-label") ?? ""} ` + [...(el.labels ?? [])].map((l) => squeeze(l.textContent)).join(" ");
  const hinted = /^(text|tel|number|search|textarea|)$/.test(el.type) && HINTS.test(words.replace(/([a-z])([A-Z])/g, "$1 $2"));
  const secret = el.type === "password" || SECRET.test(el.autocomplete ?? "") || hinted;
  if (secret) onceSecret.add(el);
  return secret;
}

function editableKind(el) {
  if (el.isContentEditable) return "content";
  if (el.localName === "textarea") return "text";
  if (el.localName !== "input") return "";
  if (/^(date|month|week|datetime-local|time|color|range)$/.test(el.type)) return "set";
  return /^(text|search|email|tel|url|number|password|)$/.test(el.type) ? "text" : "";
}

const isDisabled = (el) => el.matches(":disabled") || el.closest('[aria-disabled="true"]') !== null;

/** Where an element stands in the viewport of the page, through frames of the same origin. */
function boxOf(el) {
  const box = el.getBoundingClientRect();
  let left = box.left, top = box.top;
  for (let view = el.ownerDocument.defaultView; view !== window && view?.frameElement; view = view.parent) {
    const outer = view.frameElement.getBoundingClientRect();
    left += outer.left + view.frameElement.clientLeft;
    top += outer.top + view.frameElement.clientTop;
  }
  return box.width || box.height ? [left, top, box.width, box.height] : null;
}

/** What a field holds, and where its caret stands; nothing of one that takes a secret. */
function heldBy(el) {
  const kind = editableKind(el), secret = isSecret(el);
  const out = { secret, editable: kind, value: null, caret: null, filled: secret && Boolean(el.value) };
  out.writable = kind !== "" && kind !== "set" && !isDisabled(el) && !el.readOnly;
  const checked = /^(checkbox|radio)$/.test(el.type) ? el.checked : el.getAttribute("aria-checked") ?? el.getAttribute("aria-pressed");
  out.checked = checked === null ? null : String(checked) === "true";
  if (secret) return out;
  if (el.localName === "select") out.value = [...el.selectedOptions].map((o) => squeeze(o.label)).join(", ");
  else if (kind === "content") out.value = el.innerText.replace(/\n$/, "").slice(0, 100000);
  else if (el.type === "file") out.value = [...el.files].map((file) => file.name).join(", ");
  else if (kind && el.value.length <= 100000) {
    out.value = el.value;
    out.caret = [el.selectionStart ?? el.value.length, el.selectionEnd ?? el.value.length];
  }
  return out;
}

/** The role and name that a receipt tells, of a control or of anything else. */
function called(el) {
  const role = roleOf(el);
  if (role) return { role, name: nameOf(el, role) };
  const clickable = el.hasAttribute("onclick") || el.hasAttribute("tabindex") || getComputedStyle(el).cursor === "pointer";
  const plain = { canvas: "canvas", body: "document", html: "document" }[el.localName] ?? (el.querySelector(CONTROLS) ? "area" : "text");
  const kind = clickable && plain === "text" ? "clickable" : plain;
  return { role: kind, name: kind === "document" ? "" : cap(nameOf(el, "clickable"), 80) };
}

/** All that is known of an element. */
function factsOf(el) {
  return { key: keyOf(el), tag: el.localName, ...called(el), ...heldBy(el), disabled: isDisabled(el), box: boxOf(el), ways: waysTo(el) };
}

/** Where this document is. */
function place() {
  const first = performance.getEntriesByType("navigation")[0];
  return { document: documentName, url: location.href.slice(0, 4000), title: squeeze(document.title).slice(0, 300),
    ready: document.readyState, status: first?.responseStatus || null,
    view: [innerWidth, innerHeight] };
}
