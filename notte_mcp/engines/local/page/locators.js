// Every way to find an element again that was unique when it was acted on: what scripts are
// written from. Only what holds now is given; the writers choose.

const TEST_IDS = ["data-testid", "data-test-id", "data-test", "data-qa", "data-cy"];
const ROLE_SELECTORS = {
  link: "a[href],[role=link]", button: "button,[role=button],input,summary", checkbox: "input,[role=checkbox]",
  radio: "input,[role=radio]", switch: "[role=switch]", textbox: "input,textarea,[role=textbox],[contenteditable]",
  searchbox: "input,[role=searchbox]", combobox: "select,input,[role=combobox]", listbox: "select,[role=listbox]",
  slider: "input,[role=slider]", spinbutton: "input,[role=spinbutton]", option: "[role=option]", tab: "[role=tab]",
  menuitem: "[role=menuitem]", menuitemcheckbox: "[role=menuitemcheckbox]", menuitemradio: "[role=menuitemradio]",
  treeitem: "[role=treeitem]", gridcell: "[role=gridcell]", application: "[role=application]", region: "section,[role=region]",
};
const MOST_COMPARED = 1500;
const MOST_TEXTS = 20000;
const LABELED = "[aria-label],[aria-labelledby],button,meter,output,progress,select,textarea,input";

/** {test_id, test_id_attribute, role, numbered, label, placeholder, text, row, css, xpath, frame, shadow} of an element. */
function locatorsOf(el, role) {
  const root = el.getRootNode(), inShadow = root.nodeType === 11;
  const scope = treesBelow(inShadow ? root.host : el.ownerDocument);
  const out = { css: cssOf(el, scope), frame: framesOf(el.ownerDocument.defaultView), shadow: inShadow };
  if (!inShadow) out.xpath = xpathOf(el);
  for (const name of TEST_IDS) {
    const value = el.getAttribute(name);
    if (value && only(scope, attribute(name, value))) {
      out.test_id = value;
      out.test_id_attribute = name;
      break;
    }
  }
  const name = roleName(el, role);
  if (name && alone(scope, el, role, name)) {
    out.role = [role, name];
    if (/\d/.test(name) && alone(scope, el, role, name, openNumbers)) out.numbered = true;
  }
  const label = FIELDS.has(role) ? labelsOf(el).find((text) => text && text.length <= 100 && labelAlone(scope, el, text)) : "";
  if (label) out.label = label;
  const placeholder = el.getAttribute("placeholder");
  if (placeholder && placeholder.length <= 100 && only(scope, attribute("placeholder", placeholder))) out.placeholder = placeholder;
  const text = FIELDS.has(role) ? "" : plain(fullText(el, 400));
  if (text && text.length <= 80 && textAlone(scope, el, text)) out.text = text;
  const row = name && !out.role && !out.test_id ? rowOf(scope, el, role, name) : null;
  if (row) out.row = row;
  return out;
}

// A script looks below the host of a shadow root, or in the whole document, and through every open root in there.

/** A document or a shadow host, and the open shadow roots in it: what Playwright searches as one tree. */
function treesBelow(top) {
  const own = top.shadowRoot ? [top.shadowRoot] : [];
  return [top, ...own, ...[top, ...own].flatMap((root) => shadowHosts(root).filter((el) => el.shadowRoot).map((el) => el.shadowRoot))];
}

function attribute(name, value) {
  return `[${name}="${CSS.escape(value)}"]`;
}

function matching(scope, selector) {
  const found = new Set();
  try { for (const root of scope) for (const el of root.querySelectorAll(selector)) found.add(el); } catch { /* no selector */ }
  return found;
}

function only(scope, selector) {
  return matching(scope, selector).size === 1;
}

/** The element's name where Playwright sees the same role and name in it; else "". */
function roleName(el, role) {
  if (!ROLE_SELECTORS[role] || scriptRole(el) !== role || !rendered(el) || el.closest("[aria-hidden=true],[inert]")) return "";
  const name = squeeze(computeName(el, role, { seen: new Set(), root: true }));
  return name.length <= 200 && name.search(PRIVATE_USE) < 0 ? name : ""; // a glyph of an icon font is a part of the name there
}

/** The role as scripts see it, who do not know our own (password, file, date) and see no textbox in what is merely editable. */
function scriptRole(el) {
  const role = roleOf(el);
  if (role === "file") return "button";
  if (/^(password|date|time|color)$/.test(role)) return "textbox";
  if (el.localName === "input" && role === implicitRole(el)) {
    const lists = /^(text|search|email|tel|url)$/.test(el.type) && el.hasAttribute("list");
    if (lists && (el.type === "search" || el.list)) return "combobox";
    if (lists || role === "combobox") return "textbox";
  }
  return role === "textbox" && el.localName !== "textarea" && el.localName !== "input" && !el.hasAttribute("role") ? "" : role;
}

/** Whether no other element has the same role and name, as `seen` makes names alike. */
function alone(scope, el, role, name, seen = (text) => text) {
  const likes = matching(scope, ROLE_SELECTORS[role]);
  if (likes.size > MOST_COMPARED) return false;
  for (const like of likes) {
    if (like !== el && scriptRole(like) === role && rendered(like) && seen(squeeze(nameOf(like, role))) === seen(name)) return false;
  }
  return true;
}

function openNumbers(name) {
  return name.replace(/\d+/g, "0");
}

const ROWS = { row: "tr,[role=row]", listitem: "li,[role=listitem]", article: "article,[role=article]" };
const MOST_ROW_TEXTS = 8;

/** [row's role, the whole text of an element that only this row of all holds, role, name] of an element whose role and name repeat from row to row. */
function rowOf(scope, el, role, name) {
  for (let row = el.parentElement; row; row = row.parentElement) {
    const kind = roleOf(row);
    if (!ROWS[kind] || !isScriptRow(row)) continue;
    const found = alone(treesBelow(row), el, role, name) ? rowText(scope, row, kind, el) : "";
    if (found) return [kind, found, role, name];
  }
  return null;
}

/** Whether a script sees the row's role too: shown, and not in a table or list that says it is none. */
function isScriptRow(row) {
  const holder = row.hasAttribute("role") ? null : row.parentElement?.closest(row.localName === "tr" ? "table" : "ul,ol,menu");
  return rendered(row) && !row.closest("[aria-hidden=true],[inert]") && !(row.localName !== "article" && holder?.hasAttribute("role"));
}

function rowText(scope, row, kind, el) {
  const rows = [...matching(scope, ROWS[kind])];
  if (rows.length > MOST_COMPARED) return "";
  const whole = (r) => scope.length > 1 || r.querySelector("input") ? fullText(r, MOST_TEXTS) : r.textContent;
  const others = rows.filter((r) => r !== row).map((r) => [r, plain(whole(r))]);
  const holds = (r, text) => scope.length > 1 || r.contains(el) || [r, ...r.querySelectorAll("*")].some((part) => plain(fullText(part, 200)) === text);
  return rowTexts(row, el).find((text) => !others.some(([other, all]) => all.includes(text) && holds(other, text))) ?? "";
}

/** Whole texts of elements that may tell a row from the others: its headings, then cells and links, words before numbers. */
function rowTexts(row, el) {
  const found = new Set();
  for (const parts of ["h1,h2,h3,h4,h5,h6,[role=heading],th,[role=rowheader]", "td,[role=cell],[role=gridcell]", "a,strong,b,label,span,p"]) {
    for (const part of row.querySelectorAll(parts)) {
      if (found.size >= MOST_ROW_TEXTS) break;
      if (part.contains(el) || el.contains(part) || !rendered(part)) continue;
      const text = plain(fullText(part, 200));
      if (text.length > 1 && text.length <= 60) found.add(text);
    }
  }
  const says = (text) => /\p{L}{2}/u.test(text) ? 0 : 1;
  return [...found].sort((a, b) => says(a) - says(b));
}

/** What labels an element for a script: other elements by reference, its own attribute, or its label elements. */
function labelsOf(el) {
  const ids = (el.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean);
  const referred = ids.map((id) => el.getRootNode().getElementById(id)).filter(Boolean);
  if (referred.length) return referred.map((ref) => plain(fullText(ref, 400)));
  const given = plain(el.getAttribute("aria-label") ?? "");
  if (given) return [given];
  return [...el.labels ?? []].map((label) => plain(fullText(label, 400)));
}

function labelAlone(scope, el, text) {
  const likes = matching(scope, LABELED);
  if (likes.size > MOST_COMPARED) return false;
  for (const like of likes) if (like !== el && labelsOf(like).includes(text)) return false;
  return true;
}

/** Whether the text is the element's own, in one piece, and no other element's, in whatever pieces. */
function textAlone(scope, el, text) {
  if (![...el.childNodes].some((node) => node.nodeType === 3 && plain(node.data) === text)) return false;
  let left = MOST_TEXTS;
  for (const root of scope) {
    const texts = el.ownerDocument.createTreeWalker(root, 4);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (left-- < 0) return false;
      const head = node.data.trimStart()[0]; // most texts begin otherwise, which is cheap to see
      if (head === undefined || head !== text[0] && head !== "\u200b" && head !== "\u00ad") continue;
      const part = plain(node.data);
      if (!part || !text.startsWith(part) || isUnread(node.parentNode)) continue;
      if (part === text && node.parentNode !== el) return false;
      for (let up = node.parentNode; up?.nodeType === 1 && !up.contains(el); up = up.parentElement) {
        const whole = plain(fullText(up, 400));
        if (whole === text) return false;
        if (whole.length > text.length) break;
      }
    }
  }
  for (const input of matching(scope, "input[type=submit],input[type=button]")) if (plain(input.value) === text) return false;
  return true;
}

function isUnread(node) {
  return node.nodeType === 1 && (/^(script|style|noscript)$/.test(node.localName) || node.ownerDocument.head?.contains(node));
}

/** The text of an element with what its shadow root holds, as a script compares it; at most some `limit` characters. */
function fullText(el, limit) {
  if (el.localName === "input") return /^(submit|button)$/.test(el.type) ? el.value : "";
  let text = "";
  for (let node = el.firstChild; node && text.length <= limit; node = node.nextSibling) {
    if (node.nodeType === 3) text += node.data;
    else if (node.nodeType === 1 && !isUnread(node)) text += fullText(node, limit);
  }
  return el.shadowRoot && text.length <= limit ? text + fullText(el.shadowRoot, limit) : text;
}

function plain(text) {
  return squeeze(text.replace(/[\u200b\u00ad]/g, ""));
}

/** Whether an id or a name was made up by a program for this one page: counted, hashed, random. */
function isMadeUp(name) {
  return /[:«»]|\d{4,}|[0-9a-f]{8}/i.test(name) || /^(ember|ext-(gen|comp)|yui|mui|gwt-uid|uid|react-select|rc_?select|select2|headlessui|radix|downshift|cdk|mat-[a-z-]+)[-_]?\w*\d/i.test(name) ||
    name.split(/[-_]+/).some((part) => part.length > 4 && (part.match(/\d[a-z]|[a-z]\d/gi) ?? []).length > 1);
}

/** The shortest structural selector: an id that is unique, else a path of tags from the nearest such ancestor. */
function cssOf(el, known = null) {
  const root = el.getRootNode(), scope = known ?? treesBelow(root.host ?? root);
  const parts = root.host ? [":scope"] : []; // the host, or what matches deeper in it would match too
  for (let up = el, end = parts.length; up && up.nodeType === 1; up = up.parentElement) {
    const tag = CSS.escape(up.localName), name = up.getAttribute("name");
    const own = up.id && !isMadeUp(up.id) && only(scope, `#${CSS.escape(up.id)}`) ? `#${CSS.escape(up.id)}` : "";
    const named = !own && up === el && name && !isMadeUp(name) && only(scope, tag + attribute("name", name)) ? tag + attribute("name", name) : "";
    const link = !own && !named && up === el ? linkOf(el, scope) : "";
    if (own || named || link) {
      parts.splice(0, end, own || named || link);
      break;
    }
    const like = likesOf(up);
    parts.splice(end, 0, like.length > 1 ? `${tag}:nth-of-type(${like.indexOf(up) + 1})` : tag);
  }
  const path = parts.join(" > ");
  return root.host ? `${cssOf(root.host)} >> ${path}` : path;
}

/** A link by where it leads, where that is a plain path of words and no other link leads there; else "". */
function linkOf(el, scope) {
  const href = el.localName === "a" ? el.getAttribute("href") ?? "" : "";
  if (!/^[a-z./_-]{2,60}$/i.test(href) || !/[a-z]/i.test(href) || isMadeUp(href)) return "";
  const selector = `a[href="${href}"]`;
  return only(scope, selector) ? selector : "";
}

/** The element and its siblings of the same kind, in order. */
function likesOf(el) {
  return [...(el.parentNode?.children ?? [el])].filter((c) => c.localName === el.localName && c.namespaceURI === el.namespaceURI);
}

function xpathOf(el) {
  const parts = [];
  for (let up = el; up && up.nodeType === 1; up = up.parentElement) {
    const like = likesOf(up), tag = up.namespaceURI === "http://www.w3.org/1999/xhtml" ? up.localName : `*[name()="${up.nodeName}"]`;
    parts.unshift(like.length > 1 ? `${tag}[${like.indexOf(up) + 1}]` : tag);
  }
  return `/${parts.join("/")}`;
}

/** One selector per enclosing frame of the same origin, from this world's top frame down. */
function framesOf(view) {
  const path = [];
  for (let w = view; w !== window && w.frameElement; w = w.parent) path.unshift(frameCss(w.frameElement));
  return path;
}

/** The selector of a frame element in this world, with the frames it stands in, and where its content begins (px of this world's top frame). `req`: {key}. */
function framePath(req) {
  const frame = elementOf(req.key);
  if (!frame) return { path: [], left: 0, top: 0 };
  const view = frame.ownerDocument.defaultView, r = frame.getBoundingClientRect(), base = frameOffset(view);
  return { path: [...framesOf(view), frameCss(frame)], left: r.left + frame.clientLeft + base.x, top: r.top + frame.clientTop + base.y };
}

/** A frame by the title that people are told it by, where it is the only one of that title; else by its place. */
function frameCss(frame) {
  const title = frame.getAttribute("title") ?? "", named = `${frame.localName}[title="${title}"]`;
  const plainly = title && title.length <= 100 && !/["\\\n]|\d{3,}/.test(title) && !frame.getRootNode().host;
  return plainly && only(treesBelow(frame.ownerDocument), named) ? named : cssOf(frame);
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
