// Putting values into fields and reading back what they hold. Text goes in by real key input
// from outside; here the field is focused and selected, and what typing cannot reach is set.

/** Focus a field so that typed text replaces (or follows) what it holds. `req`: {key, clear}. */
function focusField(req) {
  const el = elementOf(req.key);
  if (!el?.isConnected) return { error: "gone" };
  el.focus({ preventScroll: true });
  const kind = editableKind(el);
  const doc = el.ownerDocument;
  if (kind === "text") {
    const length = el.value.length;
    if (req.clear) el.select();
    else try { el.setSelectionRange(length, length); } catch { /* number and e-mail fields have no range */ }
    return { kind, empty: length === 0, focused: deepFocus(doc) === el };
  }
  if (kind === "content") {
    const range = doc.createRange();
    range.selectNodeContents(el);
    if (!req.clear) range.collapse(false);
    const selection = doc.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return { kind, empty: el.textContent === "", focused: deepFocus(doc) === el };
  }
  return { kind, empty: false, focused: deepFocus(doc) === el };
}

function deepFocus(doc) {
  let el = doc.activeElement;
  while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement;
  return el;
}

/** Set what cannot be typed (dates, colours, ranges), with the events a person's choice fires. */
function setField(req) {
  const el = elementOf(req.key);
  if (!el?.isConnected) return { error: "gone" };
  el.focus({ preventScroll: true });
  el.value = req.value;
  el.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  el.dispatchEvent(new Event("change", { bubbles: true }));
  return held(el, req.value);
}

/** What a field holds now against what was asked. `req`: {key, value, before}. */
function readField(req) {
  const el = elementOf(req.key);
  return el?.isConnected ? held(el, req.value, req.append) : { error: "gone" };
}

function held(el, asked, append) {
  const content = editableKind(el) === "content";
  const value = content ? el.innerText : el.value ?? "";
  const plain = (text) => text.replace(/\r\n?/g, "\n").replace(/\u00a0/g, " ").replace(/\n+$/, "");
  const same = append ? plain(value).endsWith(plain(asked)) : plain(value) === plain(asked);
  return { same, secret: isSecret(el), length: value.length, value: isSecret(el) ? null : cap(content ? value.trim() : value, 200), tail: deepFocus(el.ownerDocument) === el };
}

/** Whether a checkbox, radio or switch is on. */
function checkedOf(req) {
  const el = elementOf(req.key);
  if (!el?.isConnected) return { error: "gone" };
  const native = "checked" in el ? el : el.control && "checked" in el.control ? el.control : null;
  if (native) return { checked: native.checked, kind: native.type };
  const aria = el.getAttribute("aria-checked") ?? el.getAttribute("aria-pressed") ?? el.getAttribute("aria-selected");
  return aria === null ? { error: "not checkable" } : { checked: aria === "true", kind: roleOf(el) };
}

/** Choose an option of a native select by label or value. `req`: {key, value}. */
function selectOption(req) {
  const el = elementOf(req.key);
  if (!el?.isConnected) return { error: "gone" };
  if (el.localName !== "select") return { error: "not native" };
  const options = [...el.options], wanted = squeeze(req.value);
  const by = (test) => options.filter(test);
  let hits = by((o) => squeeze(o.label) === wanted);
  if (!hits.length) hits = by((o) => o.value === req.value);
  if (!hits.length) hits = by((o) => squeeze(o.label).toLowerCase() === wanted.toLowerCase());
  if (!hits.length) return { error: "no option", options: options.slice(0, 30).map((o) => cap(squeeze(o.label), 40)), total: options.length };
  if (hits[0].disabled) return { error: "option disabled", option: squeeze(hits[0].label) };
  el.focus({ preventScroll: true });
  if (el.multiple) hits[0].selected = true;
  else el.selectedIndex = hits[0].index;
  el.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  el.dispatchEvent(new Event("change", { bubbles: true }));
  return { value: [...el.selectedOptions].map((o) => squeeze(o.label)).join(", "), label: squeeze(hits[0].label) };
}

/** The option of an opened listbox widget with this text, waited for a moment. `req`: {value, timeout}. */
async function findOption(req) {
  const wanted = squeeze(req.value).toLowerCase(), end = performance.now() + req.timeout;
  for (;;) {
    const options = walkDocument(document).nodes.filter((n) => /^(option|menuitem|menuitemradio|treeitem|clickable)$/.test(n.role));
    const hit = options.find((n) => n.name.toLowerCase() === wanted) ?? options.find((n) => n.name.toLowerCase().startsWith(wanted));
    if (hit) return { key: keyOf(hit.el), name: hit.name };
    if (performance.now() >= end) return { error: "no option", options: options.slice(0, 30).map((n) => cap(n.name, 40)), total: options.length };
    await pause(30);
  }
}

const FORM_AUTOCOMPLETE = {
  title: "honorific-prefix", first_name: "given-name", middle_name: "additional-name", last_name: "family-name",
  full_name: "name", email: "email", company: "organization", address1: "address-line1", address2: "address-line2",
  address3: "address-line3", city: "address-level2", state: "address-level1", postal_code: "postal-code",
  country: "country-name", phone: "tel", cc_name: "cc-name", cc_number: "cc-number", cc_exp_month: "cc-exp-month",
  cc_exp_year: "cc-exp-year", cc_exp: "cc-exp", cc_cvv: "cc-csc", username: "username",
  current_password: "current-password", new_password: "new-password", totp: "one-time-code",
};
const FORM_WORDS = {
  title: /^(title|salutation)$/, first_name: /first.?name|given.?name|forename/, middle_name: /middle.?name/,
  last_name: /last.?name|surname|family.?name/, full_name: /^(full.?|your.?)?name$/, email: /e-?mail/,
  company: /company|organi[sz]ation/, address1: /^(street|address)([ _-]?(line)?[ _-]?1)?$|^street address$/,
  address2: /address.?(line)?.?2|apartment|suite/, address3: /address.?(line)?.?3/, city: /^(city|town)/,
  state: /^(state|province|region|county)/, postal_code: /post(al)?.?code|^zip/, country: /^country/,
  phone: /phone|^tel|mobile/, cc_name: /(card.?holder|name on card)/, cc_number: /card.?(number|no)/,
  cc_exp_month: /exp.*month/, cc_exp_year: /exp.*year/, cc_exp: /expir|exp.?date/, cc_cvv: /cvv|cvc|csc|security code/,
  username: /user.?name|login/, current_password: /^(current.?)?password$/, new_password: /new.?password|confirm.?password|repeat.?password/,
  totp: /one.?time|otp|verification.?code|2fa|authenticator/,
};

/** Which fields of the page take Notte's form field names. `req`: {fields}. Gives [{field, key, role}] or {field, key: null}. */
function matchForm(req) {
  const nodes = walkDocument(document).nodes.filter((n) => n.kind === "element" && FIELDS.has(n.role) && !n.states.includes("disabled"));
  const used = new Set();
  return req.fields.map((field) => {
    const name = field === "password" ? "current_password" : field;
    const free = nodes.filter((n) => !used.has(n.key));
    const hit = free.find((n) => (n.el.autocomplete ?? "").split(/\s+/).includes(FORM_AUTOCOMPLETE[name])) ??
      free.find((n) => [n.name, n.el.name, n.el.id, n.el.placeholder].some((t) => t && FORM_WORDS[name].test(squeeze(String(t)).replace(/[*:]/g, "").trim().toLowerCase())));
    if (hit) used.add(hit.key);
    return { field, key: hit ? keyOf(hit.el) : null, role: hit?.role ?? "", type: hit?.el.type ?? "" };
  });
}
