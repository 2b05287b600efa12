// When is the page quiet? Mutations are counted inside the page; requests and navigations are
// counted outside, by the browser's events. Together they say when an action is over.

const ALL = { subtree: true, childList: true, attributes: true, characterData: true };
let armed = null;

/** Watch a document for mutations. since(): ms since the last one (or since the watch began). */
function watchQuiet(doc) {
  let last = performance.now(), count = 0;
  const observer = new MutationObserver((records) => {
    if (records.every((r) => r.target.localName === "notte-marks")) return;
    last = performance.now();
    count++;
  });
  for (const root of rootsOf(doc)) observer.observe(root, ALL);
  return { since: () => performance.now() - last, count: () => count, stop: () => observer.disconnect() };
}

/** The document, its open shadow roots that were walked, and the same of its frames of the same origin. */
function rootsOf(doc) {
  const roots = [doc];
  for (const host of shadowHosts(doc)) roots.push(host.shadowRoot);
  for (const frame of doc.querySelectorAll("iframe,frame")) {
    try {
      if (frame.contentDocument) roots.push(...rootsOf(frame.contentDocument));
    } catch { /* another origin */ }
  }
  return roots;
}

/** Hosts of open shadow roots: custom elements by name, and the few other tags that can host one. */
function shadowHosts(root) {
  const hosts = [];
  let seen = 0;
  for (const el of root.querySelectorAll(":defined")) {
    if (++seen > 20000 || hosts.length > 200) break;
    if (el.shadowRoot) hosts.push(el, ...shadowHosts(el.shadowRoot));
  }
  return hosts;
}

/** Begin to watch before input, and note where the pointer comes and what it really lands on. `req`: {key}. */
function arm(req) {
  disarm();
  const el = req.key === null ? null : elementOf(req.key);
  const doc = el?.ownerDocument ?? document;
  const state = { quiet: watchQuiet(document), landed: undefined, view: doc.defaultView, off: null, el, aim: "", over: el !== null && hovers(el) };
  if (el) {
    let box = null;
    const missed = (event) => {
      const hit = event.composedPath()[0] ?? event.target;
      return hit.nodeType === 1 && !belongs(hit, el) ? naming(hit) : null;
    };
    const down = (event) => {
      if (state.landed !== undefined) return;
      state.landed = missed(event);
      box = el.getBoundingClientRect();
    };
    // An element that moved away under the pressed button gets no click; one that acted on the press may vanish.
    const up = (event) => {
      if (!box) return;
      const now = el.getBoundingClientRect();
      if (now.width && (now.left !== box.left || now.top !== box.top)) state.landed ??= missed(event);
      box = null;
    };
    const move = (event) => {
      if (state.aim !== "there") state.aim = missed(event) === null ? "there" : "beside";
    };
    state.view.addEventListener("pointermove", move, true);
    state.view.addEventListener("pointerdown", down, true);
    state.view.addEventListener("pointerup", up, true);
    state.off = () => {
      state.view.removeEventListener("pointermove", move, true);
      state.view.removeEventListener("pointerdown", down, true);
      state.view.removeEventListener("pointerup", up, true);
    };
  }
  armed = state;
}

function hovers(el) {
  return [el, ...ownLabels(el)].some((e) => e.matches(":hover"));
}

/** Where the pointer has come since the watch began: "there" (on the element), "beside" it in the same frame, or "". */
function aimed() {
  if (!armed?.el?.isConnected || armed.aim === "there") return "there";
  return hovers(armed.el) && !armed.over ? "there" : armed.aim || (hovers(armed.el) ? "beside" : "");
}

/** What the pressed pointer landed on instead of the element (`hit`, or null), and whether its frame got the press at all. */
function landed() {
  if (!armed) return { hit: null, heard: true };
  // A page may keep events from us, but not that the pointer is on the element.
  const heard = armed.landed !== undefined || !armed.el?.isConnected || !armed.el.ownerDocument.defaultView || hovers(armed.el);
  return { hit: armed.landed ?? null, heard };
}

function disarm() {
  armed?.quiet.stop();
  armed?.off?.();
  armed = null;
}

/** Two animation frames after input: did anything move? Keeps watching when it did. */
async function firstFrames() {
  await nextFrame();
  await nextFrame();
  return { mutated: (armed?.quiet.count() ?? 0) > 0 };
}

/** Wait until `quiet` ms went by without a mutation, at most `timeout` ms. Says whether it came to that. */
async function untilQuiet(req) {
  const watch = armed?.quiet ?? watchQuiet(document);
  const end = performance.now() + req.timeout;
  try {
    for (;;) {
      const since = watch.since();
      if (since >= req.quiet) return { quiet: true };
      if (performance.now() >= end) return { quiet: false };
      await pause(Math.max(5, Math.min(req.quiet - since, end - performance.now())));
    }
  } finally {
    if (!armed) watch.stop();
  }
}

/** Wait for a text to appear or go, inside the page. `req`: {text, gone, timeout}. */
async function waitForText(req) {
  const wanted = squeeze(req.text).toLowerCase();
  const holds = () => hasText(document, wanted) !== req.gone;
  if (holds()) return { met: true };
  return new Promise((resolve) => {
    let due = 0;
    const finish = (met) => {
      observer.disconnect();
      clearTimeout(timer);
      clearInterval(slow);
      clearTimeout(due);
      for (const name of ["transitionend", "animationend", "input"]) document.removeEventListener(name, check, true);
      resolve({ met });
    };
    const check = () => {
      if (due) return;
      due = setTimeout(() => { // one look for a burst of mutations
        due = 0;
        if (holds()) finish(true);
      }, 4);
    };
    const observer = new MutationObserver(check);
    for (const root of rootsOf(document)) observer.observe(root, ALL);
    for (const name of ["transitionend", "animationend", "input"]) document.addEventListener(name, check, true);
    // What no event tells (a style sheet that arrives, a shadow root that is attached).
    const slow = setInterval(check, 500);
    const timer = setTimeout(() => finish(holds()), req.timeout);
  });
}

/** Whether a text is rendered: in the flow of a document, in a shadow root, or as a control's name or value. */
function hasText(doc, wanted) {
  if (squeeze(doc.title).toLowerCase() === wanted) return true;
  for (const root of rootsOf(doc)) {
    if (root.nodeType === 9 && squeeze(root.body?.innerText ?? "").toLowerCase().includes(wanted)) return true;
  }
  // The walk sees what innerText does not, but costs more: only where there is something to see.
  if (!mayContain(doc, wanted)) return false;
  return walkDocument(doc).nodes.some((n) => `${n.name} ${n.value ?? ""}`.toLowerCase().includes(wanted));
}

function mayContain(doc, wanted) {
  const says = (el) => [el.getAttribute("aria-label"), el.title, el.getAttribute("alt"), el.placeholder,
    isSecret(el) ? "" : el.value].some((text) => typeof text === "string" && squeeze(text).toLowerCase().includes(wanted));
  return rootsOf(doc).some((root) =>
    root.nodeType === 11 && squeeze(root.textContent).toLowerCase().includes(wanted) ||
    [...root.querySelectorAll("input,textarea,select,[aria-label],[title],[alt]")].some(says));
}
