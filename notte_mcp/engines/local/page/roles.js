// Roles, states and values of elements, as ARIA in HTML (W3C) gives them, plus the few of
// our own that say more to a reader: password, file, date, time, color, clickable.
// Runs in an isolated world: the page cannot replace what is used here.

/** What an element stands in: its parent, or the host of its shadow root. (A link that was taken out of the page is its own root, and `host` is its URL's.) */
function above(el) {
  if (el.parentElement) return el.parentElement;
  const root = el.getRootNode();
  return root.nodeType === 11 ? root.host ?? null : null;
}

const INTERACTIVE = new Set([
  "link", "button", "checkbox", "radio", "switch", "textbox", "searchbox", "combobox", "listbox",
  "slider", "spinbutton", "option", "menuitem", "menuitemcheckbox", "menuitemradio", "tab", "treeitem",
  "password", "file", "date", "time", "color", "clickable", "summary", "media",
]);

const FIELDS = new Set([
  "checkbox", "radio", "switch", "textbox", "searchbox", "combobox", "listbox", "slider", "spinbutton",
  "password", "file", "date", "time", "color",
]);

const NAME_FROM_CONTENT = new Set([
  "button", "cell", "checkbox", "columnheader", "gridcell", "heading", "link", "menuitem",
  "menuitemcheckbox", "menuitemradio", "option", "radio", "rowheader", "switch", "tab", "tooltip",
  "treeitem", "summary", "clickable", "caption", "legend",
]);

const KNOWN_ROLES = new Set([
  ...INTERACTIVE, ...NAME_FROM_CONTENT, "alert", "alertdialog", "application", "article", "banner", "blockquote",
  "complementary", "contentinfo", "dialog", "document", "feed", "figure", "form", "generic", "grid", "group", "img",
  "list", "listitem", "log", "main", "marquee", "math", "menu", "menubar", "meter", "navigation", "none", "note",
  "paragraph", "presentation", "progressbar", "radiogroup", "region", "row", "rowgroup", "scrollbar", "search",
  "separator", "status", "table", "tablist", "tabpanel", "term", "timer", "toolbar", "tree", "treegrid",
]);

const INPUT_ROLES = {
  button: "button", submit: "button", reset: "button", image: "button", checkbox: "checkbox", radio: "radio",
  range: "slider", number: "spinbutton", search: "searchbox", password: "password", file: "file", date: "date",
  month: "date", week: "date", "datetime-local": "date", time: "time", color: "color",
};

const TAG_ROLES = {
  button: "button", textarea: "textbox", option: "option", optgroup: "group", h1: "heading", h2: "heading",
  h3: "heading", h4: "heading", h5: "heading", h6: "heading", ul: "list", ol: "list", menu: "list", li: "listitem",
  table: "table", tr: "row", td: "cell", th: "columnheader", form: "form", dialog: "dialog", nav: "navigation",
  main: "main", aside: "complementary", article: "article", fieldset: "group", details: "group", summary: "summary",
  figure: "figure", progress: "progressbar", meter: "meter", output: "status", hr: "separator", iframe: "frame",
  frame: "frame", p: "paragraph", legend: "legend", caption: "caption", search: "search", svg: "img",
};

/** The role that an explicit `role` attribute or the HTML element gives, "" where there is none. */
function roleOf(el) {
  const explicit = el.getAttribute("role");
  if (explicit) {
    for (const token of explicit.toLowerCase().split(/\s+/)) {
      if (!KNOWN_ROLES.has(token)) continue;
      // Presentational roles do not hold for what can take focus (ARIA, conflict resolution).
      if ((token === "none" || token === "presentation") && focusable(el)) break;
      return token === "presentation" ? "none" : token;
    }
  }
  return implicitRole(el);
}

function implicitRole(el) {
  const tag = el.localName;
  if (tag === "a" || tag === "area") return el.hasAttribute("href") ? "link" : "";
  if (tag === "input") {
    if (el.type === "hidden") return "";
    return INPUT_ROLES[el.type] ?? (el.hasAttribute("list") ? "combobox" : "textbox");
  }
  if (tag === "select") return el.multiple || el.size > 1 ? "listbox" : "combobox";
  if (tag === "img") return el.getAttribute("alt") === "" && !el.hasAttribute("title") ? "none" : "img";
  if (tag === "video" || tag === "audio") return el.controls ? "media" : "";
  if (tag === "section") return el.hasAttribute("aria-label") || el.hasAttribute("aria-labelledby") ? "region" : "";
  if ((tag === "header" || tag === "footer") && !el.closest("article,aside,main,nav,section")) {
    return tag === "header" ? "banner" : "contentinfo";
  }
  if (el.isContentEditable && isEditingHost(el)) return "textbox";
  return TAG_ROLES[tag] ?? "";
}

function isEditingHost(el) {
  return el.isContentEditable && !(el.parentElement && el.parentElement.isContentEditable);
}

function focusable(el) {
  return el.hasAttribute("tabindex") || /^(a|button|input|select|textarea|summary|iframe)$/.test(el.localName);
}

/** Whether a role makes the element one to act on; a cell of a grid is when it can take focus. */
function isInteractive(el, role) {
  if (INTERACTIVE.has(role)) return !(role === "option" && el.localName === "option");
  return role === "gridcell" && el.hasAttribute("tabindex") && !el.querySelector(CONTROLS);
}

/** Whether a person sees the element: rendered, opaque, of some size. */
function seen(el) {
  const rect = el.getBoundingClientRect();
  return el.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && rect.width > 1 && rect.height > 1;
}

function isDisabled(el) {
  return el.matches(":disabled") || el.closest('[aria-disabled="true"]') !== null;
}

const SECRET_AUTOCOMPLETE = /\b(current-password|new-password|one-time-code|cc-(number|csc|exp|exp-month|exp-year))\b/;
const SECRET_HINT = /(^|[^a-z])(otp|totp|mfa|2fa|cvv2?|cvc2?|csc|one.?time.?(code|password)|verification.?code|security.?code|card.?(number|no)|cc.?(number|num|csc|cvv|exp)|pin|password|passwd|pass.?code|pass.?phrase)([^a-z]|$)/i;
const secretFields = (globalThis.notteSecretFields ??= new WeakSet()); // shared by all that stands in one world

/**
 * Whether what is typed here must never be kept: passwords, one-time codes, card details. Once secret, always secret.
 * `labelled` gives the labels of a field, where many are asked about: the browser looks through the document for each.
 */
function isSecret(el, labelled = (field) => field.labels) {
  if (secretFields.has(el)) return true;
  if (el.localName !== "input" && el.localName !== "textarea") return false;
  const secret = el.type === "password" || isCodeBox(el) || SECRET_AUTOCOMPLETE.test(el.autocomplete ?? "") ||
    (/^(text|tel|number|search|)$/.test(el.type) && hintsAtSecret(el, labelled));
  if (secret) secretFields.add(el);
  return secret;
}

function hintsAtSecret(el, labelled) {
  const hints = (words) => SECRET_HINT.test(words.replace(/([a-z])([A-Z])/g, "$1 $2"));
  if (hints(`${el.name} ${el.id} ${el.getAttribute("placeholder") ?? ""} ${el.getAttribute("aria-label") ?? ""}`)) return true;
  return hints([...(labelled(el) ?? [])].map((label) => label.textContent.slice(0, 200)).join(" "));
}

/** One box of a code that is typed character by character: at least four such boxes stand together. */
function isCodeBox(el) {
  return el.maxLength === 1 &&
    (el.closest("fieldset,form,[role=group]") ?? el.ownerDocument).querySelectorAll('input[maxlength="1"]').length >= 4;
}

/** The value a reader may see, or null where there is none. Never the content of a secret field. */
function valueOf(el, role) {
  if (isSecret(el)) return null;
  const tag = el.localName;
  if (tag === "select") {
    const chosen = [...el.selectedOptions].map((o) => o.label.trim());
    return chosen.length ? cap(chosen.join(", "), 80) : null;
  }
  if (tag === "input") {
    if (/^(checkbox|radio|button|submit|reset|image)$/.test(el.type)) return null;
    if (el.type === "file") return el.files.length ? cap([...el.files].map((f) => f.name).join(", "), 80) : null;
    return el.value === "" ? null : cap(el.value, 80);
  }
  if (tag === "textarea") return el.value === "" ? null : cap(el.value, 80);
  if (role === "textbox" && el.isContentEditable) return cap(el.innerText.trim(), 80) || null;
  if (role === "slider" || role === "spinbutton" || role === "progressbar" || role === "meter") {
    return el.getAttribute("aria-valuetext") ?? el.getAttribute("aria-valuenow") ?? (el.value === undefined ? null : String(el.value));
  }
  return null;
}

/** States that differ from the usual, as words. */
function statesOf(el, role) {
  const states = [];
  const aria = (name) => el.getAttribute(`aria-${name}`);
  if (el.required || aria("required") === "true") states.push("required");
  const checked = "checked" in el && /^(checkbox|radio)$/.test(el.type) ? (el.indeterminate ? "mixed" : String(el.checked)) : aria("checked");
  if (checked === "true") states.push("checked");
  if (checked === "mixed") states.push("mixed");
  if (aria("selected") === "true" || (role === "option" && el.selected === true)) states.push("selected");
  const expanded = role === "summary" ? String(el.parentElement?.open === true) : aria("expanded");
  if (expanded === "true") states.push("expanded");
  if (expanded === "false") states.push("collapsed");
  if (aria("pressed") === "true") states.push("pressed");
  if (aria("current") && aria("current") !== "false") states.push("current");
  if (isDisabled(el)) states.push("disabled");
  if (el.readOnly === true && FIELDS.has(role) || aria("readonly") === "true") states.push("readonly");
  if (aria("invalid") === "true") states.push("invalid");
  if (isSecret(el) && el.value) states.push("filled");
  return states;
}

const READ_LIMIT = 4000;

/** `text` with its middle left out where it is longer than `limit` characters. */
function cap(text, limit) {
  if (text.length <= limit) return text;
  const head = Math.ceil((limit - 1) * 2 / 3);
  return `${text.slice(0, head)}…${text.slice(text.length - (limit - 1 - head))}`;
}

/** `text` on one line, at most READ_LIMIT characters of it. */
function squeeze(text) {
  const read = text.length > READ_LIMIT ? text.slice(0, READ_LIMIT) : text;
  return read.replace(/[\s\u00a0]+/g, " ").trim();
}
