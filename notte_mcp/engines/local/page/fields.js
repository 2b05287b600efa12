// Putting values into fields and reading back what they hold. Text goes in by real key input
// from outside; here the field is focused and selected, and what typing cannot reach is set.

/**
 * Focus a field so that typed text replaces what it holds (`clear`), follows it (not), or goes where
 * the caret is (null). `req`: {key, clear}.
 */
function focusField(req) {
  let el = elementOf(req.key);
  if (!el?.isConnected) return { error: "gone" };
  const doc = el.ownerDocument;
  el.focus({ preventScroll: true });
  const now = deepFocus(doc);
  // A field that a script replaces as it is focused: the one that stands in its place has the focus.
  if (!el.isConnected && now && now.localName === el.localName && now.id === el.id && now.name === el.name) {
    if (veil.has(el)) veil.cover(now);
    el = now;
  }
  const kind = editableKind(el), focused = deepFocus(doc) === el && doc.hasFocus();
  const out = { kind, empty: false, focused, key: keyOf(el) };
  if (req.clear === null) return out;
  if (kind === "text") {
    const length = el.value.length;
    if (req.clear) el.select();
    else try { el.setSelectionRange(length, length); } catch { /* number and e-mail fields have no range */ }
    out.empty = length === 0;
  } else if (kind === "content") {
    const range = doc.createRange();
    range.selectNodeContents(el);
    if (!req.clear) range.collapse(false);
    const selection = doc.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    out.empty = el.textContent === "";
  }
  return out;
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
  const plain = (text) => {
    const lines = text.replace(/\r\n?/g, "\n").replace(/\u00a0/g, " ").replace(/\n+$/, "");
    return content ? lines.replace(/\n+/g, "\n") : lines; // a paragraph is two line breaks, a line one
  };
  const same = append ? plain(value).endsWith(plain(asked)) : plain(value) === plain(asked);
  const secret = isSecret(el);
  return { same, secret, length: value.length, value: secret ? null : cap(content ? value.trim() : value, 200),
    begins: value !== "" && plain(asked).startsWith(plain(value)), focused: deepFocus(el.ownerDocument) === el };
}

/** Whether a checkbox, radio or switch is on; with `wanted` that state is waited for. `req`: {key, wanted?, timeout?}. */
async function checkedOf(req) {
  const end = performance.now() + (req.timeout ?? 0);
  for (;;) {
    const el = elementOf(req.key);
    if (!el?.isConnected) return { error: "gone" };
    const state = checkedNow(el);
    if (state.error || req.wanted === undefined || state.checked === req.wanted || performance.now() >= end) return state;
    await pause(20);
  }
}

function checkedNow(el) {
  const native = "checked" in el ? el : el.control && "checked" in el.control ? el.control : null;
  if (native) return { checked: native.checked, kind: native.type };
  const aria = el.getAttribute("aria-checked") ?? el.getAttribute("aria-pressed") ?? el.getAttribute("aria-selected");
  return aria === null ? { error: "not checkable" } : { checked: aria === "true", kind: roleOf(el) };
}

/** Choose an option of a native select by label or value, waited for a moment. `req`: {key, value, timeout}. */
async function selectOption(req) {
  const el = elementOf(req.key), end = performance.now() + req.timeout;
  if (!el?.isConnected) return { error: "gone" };
  if (el.localName !== "select") return { error: "not native" };
  let hits = optionsLike(el, req.value);
  while (!hits.length && performance.now() < end) {
    await pause(30);
    hits = optionsLike(el, req.value);
  }
  const labels = [...el.options].map((o) => cap(squeeze(o.label), 40));
  if (!hits.length) return { error: "no option", options: labels.slice(0, 30), total: labels.length };
  const hit = hits.find((o) => !o.disabled && !o.closest("optgroup")?.disabled);
  if (!hit) return { error: "option disabled", option: squeeze(hits[0].label) };
  el.focus({ preventScroll: true });
  if (el.multiple) hit.selected = true;
  else el.selectedIndex = hit.index;
  el.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
  el.dispatchEvent(new Event("change", { bubbles: true }));
  const chosen = [...el.selectedOptions].map((o) => squeeze(o.label)).join(", ");
  return el.isConnected && hit.isConnected && !hit.selected ? { error: "not kept", option: chosen } : { value: chosen };
}

function optionsLike(el, value) {
  const options = [...el.options], wanted = squeeze(value);
  for (const test of [(o) => squeeze(o.label) === wanted, (o) => o.value === value,
    (o) => squeeze(o.label).toLowerCase() === wanted.toLowerCase()]) {
    const hits = options.filter(test);
    if (hits.length) return hits;
  }
  return [];
}

/**
 * The option of an opened listbox widget with this text, waited for a moment; with `inside` only one that
 * the widget itself holds or controls. A native datalist needs no click: its key is null.
 * `req`: {key, value, timeout, inside}.
 */
async function findOption(req) {
  const wanted = squeeze(req.value).toLowerCase(), end = performance.now() + req.timeout, el = elementOf(req.key);
  for (;;) {
    const owned = el ? ownedBoxes(el) : [];
    const options = walkDocument(document).nodes.filter((n) => /^(option|menuitem|menuitemradio|treeitem|radio|clickable)$/.test(n.role) &&
      (!req.inside || owned.some((box) => box.contains(n.el))));
    const hit = options.find((n) => n.name.toLowerCase() === wanted) ?? options.find((n) => n.name.toLowerCase().startsWith(wanted));
    if (hit) return { key: keyOf(hit.el), name: hit.name };
    if (el?.list && [...el.list.options].some((o) => o.value === el.value && o.value === req.value)) return { key: null, name: req.value };
    if (performance.now() >= end) {
      const names = options.filter((n) => n.role !== "clickable").map((n) => n.name);
      for (const option of el?.list?.options ?? []) names.push(option.value);
      return { error: "no option", options: names.slice(0, 30).map((name) => cap(name, 40)), total: names.length };
    }
    await pause(30);
  }
}

function ownedBoxes(el) {
  const ids = `${el.getAttribute("aria-controls") ?? ""} ${el.getAttribute("aria-owns") ?? ""}`.split(/\s+/).filter(Boolean);
  return [el, ...ids.map((id) => el.getRootNode().getElementById?.(id)).filter(Boolean)];
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
