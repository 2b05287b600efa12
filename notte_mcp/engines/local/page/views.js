// Views: what was shown, so that only a part, a change or the next page of it needs to cross.
// A view keeps the whole walk inside the page; what crosses fits the caller's token budget.

const views = new Map();
const KEPT_VIEWS = 20;
const KEPT_NODES = 100000;
const FRAMES_SHARE = 0.25; // of the budget, kept for frames of another origin where there are any
const OPTIONS_SHOWN = 8;
const OPTIONS_CHARS = 80;

/**
 * Look at the page. `req`: {view, mode, since, find, tokens, token, heard}. Gives {nodes, omitted, spent} or the
 * changes {appeared, changed, gone, omitted}, with {frames, known, fresh, place, headings, top: the highest key so far}; or {due} alone, when a pass for
 * listeners is to be made first (not with `heard`).
 */
function look(req) {
  if (req.heard) heard();
  else if (hear(req.token)) return { due: true };
  let walk = walkDocument(document, req.find ? Infinity : 200 + req.tokens / 3);
  let view = viewOf(walk, req.mode !== "actions");
  const before = req.since === null ? undefined : views.get(req.since);
  if (req.mode === "changes" && before && !sameRowsLater(before, view)) {
    walk = walkDocument(document);
    view = viewOf(walk, true);
  }
  const fresh = views.size === 0;
  keep(req.view, view);
  const about = { frames: walk.frames, known: req.since === null || before !== undefined, fresh, place: place(), top: lastKey, headings: headingsOf(walk) };
  const tokens = walk.frames.length ? Math.ceil(req.tokens * (1 - FRAMES_SHARE)) : req.tokens;
  if (req.mode === "changes" && before) return { ...changes(before, view, tokens), ...about };
  const wanted = req.find ? found(view, req.find) : listed(view);
  return { ...select(view, wanted, tokens), ...about };
}

/** Names of the first headings, those of the highest rank before the others. */
function headingsOf(walk) {
  const found = walk.nodes.filter((n) => n.role === "heading" && n.el);
  const rank = (el) => Number(/^h([1-6])$/.exec(el.localName)?.[1] ?? el.getAttribute("aria-level") ?? 2);
  return found.map((n) => [rank(n.el), n.name]).sort((a, b) => a[0] - b[0]).slice(0, 5).map(([, name]) => cap(name, 120));
}

/** What is kept of a walk. `texts`: whether texts are listed too; `later`: rows not walked, with their text. */
function viewOf(walk, texts) {
  const later = new Map();
  walk.nodes.forEach((n, i) => {
    n.i = i;
    if (n.kind === "later") later.set(n.row, n.text);
  });
  return { nodes: walk.nodes, texts, later, shown: new Set(), signatures: null, rest: [], contexts: new Map() };
}

/** Whether two views left the same rows for later, with the same text. */
function sameRowsLater(before, view) {
  if (before.later.size !== view.later.size) return false;
  for (const [row, text] of view.later) if (before.later.get(row) !== text) return false;
  return true;
}

/** Walk what a view left for later, so that its cursor can go on. */
function complete(view) {
  const whole = viewOf(walkDocument(document), view.texts);
  Object.assign(view, whole, { shown: view.shown, rest: listed(whole).filter((n) => !view.shown.has(n.key)) });
}

/** Keep a view, and forget the oldest beyond what is kept. */
function keep(number, view) {
  views.delete(number);
  views.set(number, view);
  let nodes = 0;
  for (const kept of views.values()) nodes += kept.nodes.length;
  for (const [old, kept] of views) {
    if (old === number || views.size <= KEPT_VIEWS && nodes <= KEPT_NODES) break;
    views.delete(old);
    nodes -= kept.nodes.length;
  }
}

/** The next lines of a view by its cursor, or null when the view is gone. */
function more(req) {
  const view = views.get(req.view);
  if (view?.later.size) complete(view);
  return view ? { ...select(view, view.rest, req.tokens), frames: [] } : null;
}

/** What a whole-page answer lists: elements, and texts when asked for; groups come with what is in them. */
function listed(view) {
  const texts = view.texts;
  const wanted = view.nodes.filter((n) => n.kind === "element" || n.frame || texts && (n.kind === "text" || TELLING_GROUP.test(n.role)));
  if (!texts) wanted.push(...rowLabels(view, wanted));
  return wanted.sort((a, b) => a.p - b.p || a.i - b.i);
}

// Groups that say something by themselves, even with nothing in them.
const TELLING_GROUP = /^(heading|progressbar|meter)$/;
const CHANGING_GROUP = /^(heading|progressbar|meter|dialog|alertdialog|frame)$/;

/** Where two elements of different rows bear the same role and name, the row's first text tells them apart. */
function rowLabels(view, elements) {
  const times = new Map();
  for (const n of elements) {
    const name = `${n.role}|${n.name}`;
    times.set(name, (times.get(name) ?? 0) + 1);
  }
  const told = new Set(), asked = new Set();
  for (const n of elements) {
    if (!n.row) continue;
    if (times.get(`${n.role}|${n.name}`) > 1) asked.add(n.row);
    else told.add(n.row);
  }
  const labels = [];
  for (const n of view.nodes) {
    if (n.kind === "element" || !asked.has(n.row) || told.has(n.row) || n.role === "list" || n.role === "table") continue;
    told.add(n.row);
    labels.push(n);
  }
  return labels;
}

function found(view, find) {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  const matched = [];
  for (const n of view.nodes) {
    const text = `${n.role} ${n.name} ${n.value ?? ""} ${n.hint}`.toLowerCase();
    if (n.frame || words.every((w) => text.includes(w))) matched.push(n);
    else if (n.el?.localName === "select") {
      const options = optionLabels(n.el).filter((o) => words.every((w) => o.toLowerCase().includes(w)));
      if (options.length) matched.push({ ...n, found: options.slice(0, 50) });
    }
  }
  // An element of a row whose text matches is what the searcher is after.
  const rows = new Set(matched.filter((n) => n.kind !== "element" && n.row).map((n) => n.row));
  const known = new Set(matched.map((n) => n.key));
  for (const n of view.nodes) if (n.kind === "element" && rows.has(n.row) && !known.has(n.key)) matched.push(n);
  return matched.sort((a, b) => a.i - b.i);
}

/** As many of `wanted` (best first) as fit `tokens`, with the groups they stand in, in reading order. */
function select(view, wanted, tokens) {
  const chosen = new Map();
  let spent = 0, at = 0;
  for (; at < wanted.length; at++) {
    const line = wanted[at];
    const added = [line];
    for (let g = line.group; g >= 0 && !chosen.has(g); g = view.nodes[g].group) added.push(view.nodes[g]);
    let cost = 0;
    for (const n of added) cost += costOf(n);
    if (spent + cost > tokens && chosen.size) break;
    spent += cost;
    for (const n of added) {
      chosen.set(n.i, n);
      view.shown.add(n.key);
    }
  }
  view.rest = wanted.slice(at);
  const nodes = [...chosen.values()].sort((a, b) => a.i - b.i);
  return { nodes: nodes.map((n) => wire(n, view)), omitted: view.rest.length + view.later.size, spent };
}

/** The difference of two views of this document, within `tokens`. */
function changes(before, view, tokens) {
  const was = signatures(before), is = signatures(view);
  const lost = before.nodes.filter((n) => !is.has(n.key) && tells(n));
  const twins = new Map();
  for (const n of lost) push(twins, was.get(n.key), n);
  const appeared = [], changed = [], replaced = new Set();
  for (const n of view.nodes) {
    if (!tells(n)) continue;
    const old = was.get(n.key), now = is.get(n.key);
    if (old === now || old === undefined && unread(before, n)) continue;
    if (old !== undefined) {
      changed.push(n);
      continue;
    }
    const twin = twins.get(now)?.shift();
    if (twin) replaced.add(twin);
    // Rendered anew as it was: nothing to tell, unless its old id has no single heir.
    if (!twin || n.kind === "element" && !n.states.includes("disabled") && !singular(view, n)) appeared.push(n);
  }
  return cutChanges(view, appeared, changed, lost.filter((n) => !replaced.has(n)), tokens);
}

/** Whether a node stands in a row that the earlier view left for later and that reads as it did then. */
function unread(before, n) {
  return n.row && before.later.has(n.row) && elementOf(n.row)?.textContent.slice(0, 400) === before.later.get(n.row);
}

/** Whether a node is one that changes are told of. */
function tells(n) {
  return n.kind !== "later" && (n.kind !== "group" || CHANGING_GROUP.test(n.role));
}

/** Whether an element is the only one of its role and name in its context: an old id would be healed to it. */
function singular(view, n) {
  if (!view.alike) {
    view.alike = new Map();
    for (const other of view.nodes) if (other.kind === "element") push(view.alike, `${other.role}|${other.name}`, other);
  }
  const alike = view.alike.get(`${n.role}|${n.name}`);
  if (alike.length > 50) return false;
  const context = contextOf(n.el, view.contexts);
  return alike.every((other) => other === n || contextOf(other.el, view.contexts) !== context);
}

function push(map, key, item) {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}

function cutChanges(view, appeared, changed, gone, tokens) {
  let left = tokens, dropped = 0;
  const take = (list, share) => {
    const kept = [];
    let room = Math.min(left, share);
    for (const n of [...list].sort((a, b) => a.p - b.p || a.i - b.i)) {
      const cost = costOf(n) + 1;
      if (cost <= room || !kept.length && !dropped) {
        kept.push(n);
        room -= cost;
        left -= cost;
      } else dropped++;
    }
    return kept.sort((a, b) => a.i - b.i).map((n) => wire(n, view));
  };
  const cut = { changed: take(changed, tokens), appeared: take(appeared, tokens), gone: take(gone, Math.max(60, tokens / 5)) };
  return { ...cut, omitted: dropped, nodes: [] };
}

function signatures(view) {
  if (view.signatures) return view.signatures;
  view.signatures = new Map();
  for (const n of view.nodes) {
    view.signatures.set(n.key, `${n.role}|${n.name}|${n.value ?? ""}|${n.states.join(" ")}`);
  }
  return view.signatures;
}

/** A node as it crosses: no element, no place in the walk. */
function wire(n, view) {
  const out = { key: n.key, kind: n.kind, role: n.role, depth: n.depth };
  if (n.name) out.name = cap(n.name, n.kind === "text" ? 400 : 120);
  if (n.value !== null) out.value = n.value;
  if (n.states.length) out.states = n.states;
  if (n.hint) out.hint = n.hint;
  if (n.row) out.row = n.row;
  if (n.frame) out.frame = n.frame;
  if (n.found) {
    out.options = n.found;
    out.option_count = optionLabels(n.el).length;
  } else if (n.el?.localName === "select") {
    const labels = optionLabels(n.el);
    out.option_count = labels.length;
    if (labels.length <= OPTIONS_SHOWN && labels.join(" | ").length <= OPTIONS_CHARS) out.options = labels;
  }
  if (n.kind === "element") out.context = contextOf(n.el, view.contexts);
  return out;
}

/** The labels of a select's options that can be chosen from, those that are hidden left out. */
function optionLabels(el) {
  const few = el.options.length <= 60;
  const shown = [...el.options].filter((o) => !o.hidden && !(few && getComputedStyle(o).display === "none"));
  return shown.map((o) => cap(squeeze(o.label), 120));
}

/** The nearest named landmark, form or row: what an heir of this element must stand in too. `known` keeps those computed. */
function contextOf(el, known = new Map()) {
  const view = el.ownerDocument.defaultView;
  // A frame that goes elsewhere is another page; its elements have no heirs there.
  const frame = view && view !== view.top ? ` in ${cap([...framesOf(view), view.location.pathname].join(" "), 60)}` : "";
  for (let up = above(el); up; up = above(up)) {
    const role = roleOf(up);
    if (!CONTEXT_ROLES.has(role)) continue;
    if (!known.has(up)) known.set(up, `${cap(`${role} ${ROW_ROLES.has(role) ? textStart(up) : nameOf(up, role)}`, 80)}${frame}`);
    return known.get(up);
  }
  return frame.trim();
}

const CONTEXT_ROLES = new Set([...ROW_ROLES, "form", "dialog", "alertdialog", "navigation", "main", "banner", "contentinfo",
  "complementary", "region", "search"]);

/** The first words of an element. A row that holds a page's worth of text is read no further. */
function textStart(el) {
  const texts = el.ownerDocument.createTreeWalker(el, NodeFilter.SHOW_TEXT);
  let text = "";
  for (let n = 0; n < 100 && text.length < 200 && texts.nextNode(); n++) text += texts.currentNode.data.slice(0, 200);
  return squeeze(text.slice(0, 200));
}

/** Tokens of a node's line, on the safe side of `observations.estimate_tokens`. */
function costOf(n) {
  let cost = n.kind === "text" ? 1 : 5;
  cost += textCost(n.name);
  if (n.value !== null) cost += 1 + textCost(n.value);
  if (n.hint) cost += textCost(n.hint);
  cost += n.states.length * 2;
  if (n.el?.localName === "select") cost += 26;
  if (n.found) cost += n.found.reduce((sum, o) => sum + textCost(o) + 1, 0);
  return cost;
}

function textCost(text) {
  let cost = 0;
  for (const [piece] of text.matchAll(/[A-Za-z]+|[0-9]+|[!-\/:-@\[-`{-~]+|[^\s]/g)) {
    if (/[A-Za-z]/.test(piece)) cost += 1 + Math.floor((piece.length - 1) / 7);
    else if (/[0-9]/.test(piece)) cost += Math.ceil(piece.length / 3);
    else cost += piece.length === 1 ? 1 : Math.ceil(piece.length / 2);
  }
  return cost;
}
