// Every way to find an element again that was unique when it was acted on: what scripts are
// written from. Only what holds now is given; the writers choose.

const TEST_IDS = ["data-testid", "data-test-id", "data-test", "data-qa", "data-cy"];
const ROLE_SELECTORS = {
  link: "a[href],[role=link]", button: "button,[role=button],input,summary", checkbox: "input,[role=checkbox]",
  radio: "input,[role=radio]", switch: "[role=switch]", textbox: "input,textarea,[role=textbox],[contenteditable]",
  searchbox: "input,[role=searchbox]", combobox: "select,input,[role=combobox]", listbox: "select,[role=listbox]",
  slider: "input,[role=slider]", spinbutton: "input,[role=spinbutton]", option: "[role=option]", tab: "[role=tab]",
  menuitem: "[role=menuitem]", menuitemcheckbox: "[role=menuitemcheckbox]", menuitemradio: "[role=menuitemradio]",
  treeitem: "[role=treeitem]",
};
const MOST_COMPARED = 1500;

/** {test_id, test_id_attribute, role, label, placeholder, text, css, xpath, frame, shadow} of an element. */
function locatorsOf(el, role) {
  const root = el.getRootNode(), doc = el.ownerDocument;
  const scope = root.nodeType === 11 ? root : doc;
  const out = { css: cssOf(el), frame: framesOf(doc.defaultView), shadow: root.nodeType === 11 };
  if (!out.shadow) out.xpath = xpathOf(el);
  const only = (selector) => {
    try { return scope.querySelectorAll(selector).length === 1; } catch { return false; }
  };
  for (const name of TEST_IDS) {
    const value = el.getAttribute(name);
    if (value && only(`[${name}="${CSS.escape(value)}"]`)) {
      out.test_id = value;
      out.test_id_attribute = name;
      break;
    }
  }
  const name = nameOf(el, role);
  if (name && name.length <= 200 && ROLE_SELECTORS[role] && alone(scope, el, role, name)) out.role = [role, name];
  const label = el.labels?.length ? squeeze(el.labels[0].textContent) : "";
  if (label && label.length <= 100 && [...scope.querySelectorAll("label")].filter((l) => squeeze(l.textContent) === label).length === 1) out.label = label;
  if (el.placeholder && only(`[placeholder="${CSS.escape(el.placeholder)}"]`)) out.placeholder = el.placeholder;
  const text = squeeze(el.textContent.slice(0, 200));
  if (text && text.length <= 80 && !FIELDS.has(role) && textAlone(scope, el, text)) out.text = text;
  return out;
}

/** Whether no other element in the same tree has the same role and name. */
function alone(scope, el, role, name) {
  const likes = scope.querySelectorAll(ROLE_SELECTORS[role]);
  if (likes.length > MOST_COMPARED) return false;
  for (const like of likes) {
    if (like !== el && roleOf(like) === role && nameOf(like, role) === name && rendered(like)) return false;
  }
  return true;
}

function textAlone(scope, el, text) {
  const likes = scope.querySelectorAll(el.localName);
  if (likes.length > MOST_COMPARED) return false;
  let same = 0;
  for (const like of likes) if (squeeze(like.textContent.slice(0, 200)) === text) same++;
  return same === 1;
}

/** The shortest structural selector: an id that is unique, else a path of tags from the nearest such ancestor. */
function cssOf(el) {
  const root = el.getRootNode();
  const parts = [];
  for (let up = el; up && up.nodeType === 1; up = up.parentElement) {
    if (up.id && !/\d{4,}|^:|[0-9a-f]{8}/.test(up.id) && root.querySelectorAll(`#${CSS.escape(up.id)}`).length === 1) {
      parts.unshift(`#${CSS.escape(up.id)}`);
      break;
    }
    const like = up.parentElement ? [...up.parentElement.children].filter((c) => c.localName === up.localName) : [up];
    const tag = CSS.escape(up.localName);
    if (up === el && el.getAttribute("name") && root.querySelectorAll(`${tag}[name="${CSS.escape(el.getAttribute("name"))}"]`).length === 1) {
      parts.unshift(`${tag}[name="${CSS.escape(el.getAttribute("name"))}"]`);
      break;
    }
    parts.unshift(like.length > 1 ? `${tag}:nth-of-type(${like.indexOf(up) + 1})` : tag);
  }
  const own = parts.join(" > ");
  return root.host ? `${cssOf(root.host)} >> ${own}` : own;
}

function xpathOf(el) {
  const parts = [];
  for (let up = el; up && up.nodeType === 1; up = up.parentElement) {
    const like = up.parentElement ? [...up.parentElement.children].filter((c) => c.localName === up.localName) : [up];
    parts.unshift(like.length > 1 ? `${up.localName}[${like.indexOf(up) + 1}]` : up.localName);
  }
  return `/${parts.join("/")}`;
}

/** One selector per enclosing frame of the same origin, from this world's top frame down. */
function framesOf(view) {
  const path = [];
  for (let w = view; w !== window && w.frameElement; w = w.parent) path.unshift(cssOf(w.frameElement));
  return path;
}

/** The selector of a frame element in this world, with the frames it stands in. `req`: {key}. */
function framePath(req) {
  const frame = elementOf(req.key);
  return frame ? [...framesOf(frame.ownerDocument.defaultView), cssOf(frame)] : [];
}

/** Elements that could be the heir of a stale one. `req`: {role, name, context, after}: what has a key up to `after` lived beside it. */
function heirs(req) {
  const found = [];
  const view = { contexts: new Map() };
  for (const n of walkDocument(document).nodes) {
    if (n.kind !== "element" || n.role !== req.role || cap(n.name, 120) !== req.name) continue;
    const line = wire(n, view);
    found.push({ ...line, same: line.context === req.context && Number(n.key) > req.after });
    if (found.length > 20) break;
  }
  return found;
}
