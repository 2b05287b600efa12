// Views: what was shown, so that only a part, a change or the next page of it needs to cross.
// A view keeps the whole walk inside the page; what crosses fits the caller's token budget.

const views = new Map();
const KEPT_VIEWS = 5;
const OPTIONS_SHOWN = 8;
const OPTIONS_CHARS = 80;

/** Look at the page. `req`: {view, mode, since, find, tokens, visible}; see the returns below. */
function look(req) {
  const walk = walkDocument(document);
  const view = { nodes: walk.nodes, signatures: null, rest: [] };
  for (let i = 0; i < view.nodes.length; i++) view.nodes[i].i = i;
  const before = req.since === null ? undefined : views.get(req.since);
  views.set(req.view, view);
  for (const old of views.keys()) if (views.size > KEPT_VIEWS) views.delete(old);
  const frames = walk.frames;
  if (req.mode === "changes" && before) return { ...changes(before, view, req.tokens), frames, known: true };
  const wanted = req.find ? found(view, req.find) : listed(view, req.mode === "page" || req.mode === "changes");
  return { ...select(view, wanted, req.tokens), frames, known: req.since === null, empty: view.nodes.length === 0 };
}

/** The next lines of a view by its cursor, or null when the view is gone. */
function more(req) {
  const view = views.get(req.view);
  return view ? { ...select(view, view.rest, req.tokens), frames: [] } : null;
}

/** What a whole-page answer lists: elements, and texts when asked for; groups come with what is in them. */
function listed(view, texts) {
  const wanted = view.nodes.filter((n) => n.kind === "element" || (texts && n.kind === "text") || (n.kind === "group" && n.role === "heading" && texts));
  if (!texts) wanted.push(...rowLabels(view, wanted));
  return wanted.sort((a, b) => a.p - b.p || a.i - b.i);
}

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
    if (words.every((w) => text.includes(w))) matched.push(n);
    else if (n.el?.localName === "select") {
      const options = [...n.el.options].map((o) => squeeze(o.label)).filter((o) => words.every((w) => o.toLowerCase().includes(w)));
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
    for (const n of added) chosen.set(n.i, n);
  }
  view.rest = wanted.slice(at);
  const nodes = [...chosen.values()].sort((a, b) => a.i - b.i);
  return { nodes: nodes.map(wire), omitted: view.rest.length, spent };
}

/** The difference of two views of this document, within `tokens`. */
function changes(before, view, tokens) {
  const was = signatures(before), is = signatures(view);
  const appeared = [], changed = [], goneNames = new Map();
  let gone = [];
  for (const n of before.nodes) {
    if (is.has(n.key) || n.kind === "group" && !/dialog/.test(n.role)) continue;
    gone.push(n);
    const sig = was.get(n.key);
    goneNames.set(sig, (goneNames.get(sig) ?? 0) + 1);
  }
  const again = new Map();
  for (const n of view.nodes) {
    if (n.kind === "group" && !/dialog|heading/.test(n.role)) continue;
    const old = was.get(n.key), now = is.get(n.key);
    if (old === now) continue;
    if (old !== undefined) changed.push(n);
    else if (goneNames.get(now) > 0) { // rendered anew with nothing to tell but its id
      goneNames.set(now, goneNames.get(now) - 1);
      again.set(now, (again.get(now) ?? 0) + 1);
      if (n.kind === "element") appeared.push(n);
    } else appeared.push(n);
  }
  gone = gone.filter((n) => {
    const sig = was.get(n.key), times = again.get(sig) ?? 0;
    if (times) again.set(sig, times - 1);
    return !times;
  });
  view.rest = [];
  return cutChanges(view, appeared, changed, gone, tokens);
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
    return kept.sort((a, b) => a.i - b.i).map(wire);
  };
  const cut = { changed: take(changed, tokens), appeared: take(appeared, tokens), gone: take(gone, Math.max(60, tokens / 5)) };
  view.rest = [];
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
function wire(n) {
  const out = { key: n.key, kind: n.kind, role: n.role, depth: n.depth };
  if (n.name) out.name = cap(n.name, n.kind === "text" ? 400 : 120);
  if (n.value !== null) out.value = n.value;
  if (n.states.length) out.states = n.states;
  if (n.hint) out.hint = n.hint;
  if (n.row) out.row = n.row;
  if (n.frame) out.frame = n.frame;
  if (n.found) {
    out.options = n.found;
    out.option_count = n.el.options.length;
  } else if (n.el?.localName === "select") {
    const labels = [...n.el.options].map((o) => squeeze(o.label));
    out.option_count = labels.length;
    if (labels.length <= OPTIONS_SHOWN && labels.join(" | ").length <= OPTIONS_CHARS) out.options = labels;
  }
  if (n.kind === "element") out.context = contextOf(n.el);
  return out;
}

/** The nearest named landmark, form or row: what an heir of this element must stand in too. */
function contextOf(el) {
  for (let up = el.parentElement ?? el.getRootNode().host; up; up = up.parentElement ?? up.getRootNode().host) {
    const role = roleOf(up);
    if (role === "listitem" || role === "row" || role === "article") return cap(`${role} ${squeeze(up.textContent.slice(0, 200))}`, 80);
    if (/^(form|dialog|alertdialog|navigation|main|banner|contentinfo|complementary|region|search)$/.test(role)) {
      return cap(`${role} ${nameOf(up, role)}`, 80);
    }
  }
  return "";
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
