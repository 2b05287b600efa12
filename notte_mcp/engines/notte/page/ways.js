// Ways to an element and back: the selectors that a caller writes (CSS, XPath, and Playwright's simple forms), and those
// that a receipt keeps. Frames of the same origin and open shadow roots are gone through; others cannot be reached.

const SCRIPT_ROLES = { password: "textbox", date: "textbox", time: "textbox", color: "textbox", file: "button", clickable: "", summary: "" };

/** The role as scripts see it, who do not know our own, and see no textbox in what is merely editable. */
function scriptRole(el) {
  const role = roleOf(el), own = el.hasAttribute("role");
  if (role === "combobox" && el.localName === "input" && !own) return el.list ? "combobox" : "textbox";
  if (role === "textbox" && !/^(input|textarea)$/.test(el.localName) && !own) return "";
  return SCRIPT_ROLES[role] ?? role;
}

/** A root and the open shadow roots below it: what is searched as one tree. */
function rootsOf(top) {
  const roots = [top];
  if (top.shadowRoot) roots.push(...rootsOf(top.shadowRoot));
  for (const el of top.querySelectorAll("*")) if (el.shadowRoot) roots.push(...rootsOf(el.shadowRoot));
  return roots;
}

function all(top, css) {
  const found = new Set();
  if (top.shadowRoot && css.startsWith(":scope > ")) for (const el of belowHost(top.shadowRoot, css.split(" > ").slice(1))) found.add(el);
  for (const root of rootsOf(top)) for (const el of root.querySelectorAll(css)) found.add(el);
  return [...found];
}

/** Elements by a path of children from the shadow root itself, which CSS has no word for. */
function belowHost(root, path) {
  const from = (el) => { for (let n = path.length; n > 1; n--) el = el?.parentElement; return el?.parentNode === root; };
  return [...root.querySelectorAll(path.join(" > "))].filter(from);
}

/** The parts of a selector between its `>>`, which may stand in quotes as well. */
function partsOf(selector) {
  const parts = [""];
  let quote = "";
  for (let i = 0; i < selector.length; i++) {
    const c = selector[i];
    if (quote ? c === quote : /["']/.test(c)) quote = quote ? "" : c;
    if (c === "\\") parts[parts.length - 1] += c + (selector[++i] ?? "");
    else if (!quote && selector.startsWith(">>", i)) parts.push(""), i++;
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim());
}

/** What a quoted text asks for, as a test: `"x"s` the whole text, `"x"i` or a bare x a part of it in any case. */
function wanted(text, exactByDefault = false) {
  const found = text.match(/^"((?:[^"\\]|\\.)*)"([is]?)$|^'((?:[^'\\]|\\.)*)'([is]?)$/s);
  const exact = found ? (found[2] || found[4] || (exactByDefault ? "s" : "i")) === "s" : false;
  const said = squeeze(found ? (found[1] ?? found[3]).replace(/\\(.)/g, "$1") : text);
  return exact ? (other) => squeeze(other) === said : (other) => squeeze(other).toLowerCase().includes(said.toLowerCase());
}

function byRole(top, body, exactByDefault) {
  const found = body.match(/^([\w-]+)((?:\[[^\]]*\])*)$/s) ?? body.match(/^([\w-]+)(\[name=.*\])$/s);
  if (!found) throw new Error("no role");
  const named = found[2].match(/\[name\s*=\s*((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')[is]?)/s);
  if (found[2] && !named && /\[name/.test(found[2])) throw new Error("no name");
  const likes = named ? wanted(named[1], exactByDefault) : () => true;
  return all(top, "*").filter((el) => scriptRole(el) === found[1] && el.checkVisibility({ visibilityProperty: true }) &&
    !el.closest("[aria-hidden=true],[inert]") && likes(nameOf(el)));
}

function byText(top, likes) {
  const found = all(top.body ?? top, "*").filter((el) => !UNREAD.test(el.localName) && likes(el.textContent));
  return found.filter((el) => !found.some((inner) => inner !== el && el.contains(inner)));
}

const ATTRIBUTE = /^\[([\w-]+)=(.*)\]$/s;

function byAttribute(top, body) {
  const found = body.match(ATTRIBUTE);
  const likes = wanted(found[2], true);
  return all(top, `[${CSS.escape(found[1])}]`).filter((el) => likes(el.getAttribute(found[1])));
}

function byXpath(top, path) {
  const owner = top.ownerDocument ?? top, found = [];
  const from = path.startsWith("/") && top.nodeType === 1 ? `.${path}` : path;
  const hits = owner.evaluate(from, top, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE, null);
  for (let i = 0; i < hits.snapshotLength; i++) if (hits.snapshotItem(i).nodeType === 1) found.push(hits.snapshotItem(i));
  return found;
}

const labelled = (top, likes) => all(top, "input,select,textarea,button,output,meter,progress,[aria-label]").filter((el) =>
  el.hasAttribute("aria-label") ? likes(el.getAttribute("aria-label")) : [...(el.labels ?? [])].some((label) => likes(textOf(label, true))));

const FINDERS = [
  [/^xpath=(.*)$/s, byXpath], [/^(\.?\.?\/.*)$/s, byXpath], [/^css=(.*)$/s, all],
  [/^internal:role=(.*)$/s, (top, body) => byRole(top, body, false)], [/^role=(.*)$/s, (top, body) => byRole(top, body, true)],
  [/^internal:label=(.*)$/s, (top, body) => labelled(top, wanted(body))],
  [/^(?:internal:text|text)=(.*)$/s, (top, body) => byText(top, wanted(body, true))], [/^("[^"]*")$/s, (top, body) => byText(top, wanted(body, true))],
  [/^internal:(?:attr|testid)=(.*)$/s, byAttribute],
];

/** The elements that one part gives from those of the part before. */
function step(from, part) {
  if (part === "internal:control=enter-frame") return from.map((el) => el.contentDocument).filter(Boolean);
  const nth = part.match(/^nth=(-?\d+)$/);
  if (nth) return [from.at(Number(nth[1]))].filter(Boolean);
  if (part === "visible=true") return from.filter(shown);
  const text = part.match(/^internal:has-text=(.*)$/s);
  if (text) return from.filter((el) => wanted(text[1])(el.textContent));
  const has = part.match(/^internal:has=(.*)$/s);
  if (has) return from.filter((el) => follow(JSON.parse(has[1]), [el]).length > 0);
  const [body, finder] = FINDERS.map(([form, find]) => [part.match(form)?.[1], find]).find(([hit]) => hit !== undefined) ?? [part, all];
  if (/^internal:|^[a-z-]+=/.test(body) && finder === all) throw new Error("unknown form");
  return [...new Set(from.flatMap((top) => finder(top, body)))];
}

const follow = (selector, from) => partsOf(selector).reduce(step, from);

/** All that a selector matches; one that is none throws. */
const matching = (selector) => follow(selector, [document]).filter((el) => el.nodeType === 1);

/** The only element that a selector matches, or the only one of them that is seen; and how many there are. */
function single(selector) {
  let found;
  try { found = matching(selector); } catch { return { count: null, el: null }; }
  const seen = found.length > 1 ? found.filter(shown) : found;
  return { count: found.length, el: seen.length === 1 ? seen[0] : null };
}

/** The element of a selector set of the cloud's: by CSS, else by XPath, in the frames that it names. */
function bySet([css, xpath, frames]) {
  let top = document;
  for (const frame of frames) top = top && (follow(frame, [top])[0]?.contentDocument ?? null);
  if (!top) return null;
  for (const [find, way] of [[all, css], [byXpath, xpath && !/^[/.(]/.test(xpath) ? `/${xpath}` : xpath]]) {
    try {
      const found = way ? find === all ? follow(way, [top]) : find(top, way) : [];
      if (found.length === 1) return found[0];
    } catch { /* of a form that only the cloud knows */ }
  }
  return null;
}

const isMadeUp = (name) => /[:«»]|\d{4,}|[0-9a-f]{8}/i.test(name);
const alikes = (el) => [...(el.parentNode?.children ?? [el])].filter((other) => other.localName === el.localName);

/** The shortest structural selector: an id that is unique, else a path of tags from the nearest such ancestor. */
function cssOf(el) {
  const root = el.getRootNode(), parts = [];
  for (let up = el; up?.nodeType === 1; up = up.parentElement) {
    const id = up.id && !isMadeUp(up.id) ? `#${CSS.escape(up.id)}` : "";
    if (id && root.querySelectorAll(id).length === 1) {
      parts.unshift(id);
      break;
    }
    const like = alikes(up), tag = CSS.escape(up.localName);
    parts.unshift(like.length > 1 ? `${tag}:nth-of-type(${like.indexOf(up) + 1})` : tag);
  }
  const whole = parts.join(" > ");
  return root.host ? `${cssOf(root.host)} >> ${whole.startsWith("#") ? whole : `:scope > ${whole}`}` : whole;
}

function xpathOf(el) {
  const parts = [];
  for (let up = el; up?.nodeType === 1; up = up.parentElement) {
    const like = alikes(up);
    parts.unshift(like.length > 1 ? `${up.localName}[${like.indexOf(up) + 1}]` : up.localName);
  }
  return `/${parts.join("/")}`;
}

const only = (likes, el) => likes.length === 1 && likes[0] === el;

const ROWS = { row: "tr,[role=row]", listitem: "li,[role=listitem]", article: "article,[role=article]" };
const ROW_TEXTS = "h1,h2,h3,h4,h5,h6,th,td,[role=cell],[role=gridcell],[role=rowheader],a,strong,b,label,span,p";
const MOST_ROWS = 500;

/** [row's role, the whole text of an element that only this row holds, role, name] where role and name repeat from row to row. */
function rowOf(top, el, likes, role, name) {
  for (let row = el.parentElement; row; row = row.parentElement) {
    const kind = roleOf(row);
    if (!ROWS[kind] || !only(likes.filter((like) => row.contains(like) && nameOf(like) === name), el)) continue;
    const others = all(top, ROWS[kind]).filter((other) => other !== row);
    if (others.length > MOST_ROWS) return null;
    const said = others.map((other) => squeeze(other.textContent));
    const texts = [...row.querySelectorAll(ROW_TEXTS)].filter((part) => !part.contains(el) && !el.contains(part) && shown(part))
      .map((part) => squeeze(part.textContent)).filter((text) => text.length > 1 && text.length <= 60);
    const found = texts.find((text) => !said.some((all) => all.includes(text)));
    if (found) return [kind, found, role, name];
  }
  return null;
}

/** Every way to an element that is unique now. */
function waysTo(el) {
  const shadow = el.getRootNode().nodeType === 11, frame = [], top = el.ownerDocument;
  for (let view = top.defaultView; view !== window && view?.frameElement; view = view.parent) frame.unshift(cssOf(view.frameElement));
  const out = { css: cssOf(el), xpath: shadow ? null : xpathOf(el), frame, shadow };
  const quoted = (text) => JSON.stringify(text);
  const role = scriptRole(el), name = role === roleOf(el) ? nameOf(el) : "";
  const likes = name ? byRole(top, role, true) : [];
  if (only(likes.filter((like) => nameOf(like) === name), el)) {
    out.role = [role, name];
    const open = (text) => text.replace(/\d+/g, "0");
    if (/\d/.test(name) && only(likes.filter((like) => open(nameOf(like)) === open(name)), el)) out.numbered = true;
  }
  if (name && !out.role) out.row = rowOf(top, el, likes, role, name);
  for (const mark of ["data-testid", "data-test-id", "data-test", "data-qa", "data-cy"]) {
    const value = el.getAttribute(mark);
    if (!out.test_id && value && only(all(top, `[${mark}="${CSS.escape(value)}"]`), el)) Object.assign(out, { test_id: value, test_id_attribute: mark });
  }
  const label = FIELDS.has(roleOf(el)) ? squeeze([...(el.labels ?? [])].map((l) => textOf(l, true)).join(" ")) || squeeze(el.getAttribute("aria-label")) : "";
  if (label && label.length <= 100 && only(labelled(top, wanted(`${quoted(label)}s`)), el)) out.label = label;
  const hint = el.getAttribute("placeholder");
  if (hint && hint.length <= 100 && only(all(top, `[placeholder="${CSS.escape(hint)}"]`), el)) out.placeholder = hint;
  return out;
}
