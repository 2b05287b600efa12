// Which elements listen for clicks: told by a pass in the page's own world, which alone sees them,
// through events with an unguessable name.

const listening = new WeakSet();

// Who listens for clicks is seen from the page's own world alone, by a pass over all elements. It is
// due in a new document, when nodes came, and after a while (20 times what it cost).
const hearing = { due: true, since: 0, began: 0, cost: 0, watch: null, stop: null };

/** Whether a pass is due; then this world hears, until `heard`, the events named `token` that the pass sends. */
function hear(token) {
  if (!hearing.due && performance.now() - hearing.since < Math.max(300, hearing.cost * 20)) return false;
  hearing.stop?.();
  hearing.began = performance.now();
  const note = (event) => listening.add(event.composedPath()[0]);
  const roots = framesBelow(document);
  for (const root of roots) root.addEventListener(token, note, { capture: true });
  hearing.stop = () => { for (const root of roots) root.removeEventListener(token, note, { capture: true }); };
  hearing.watch ??= new MutationObserver(() => {
    hearing.due = true;
    hearing.watch.disconnect(); // one bit is all that is asked
  });
  for (const root of roots) hearing.watch.observe(root, { subtree: true, childList: true });
  hearing.due = false;
  return true;
}

/** The pass is over. */
function heard() {
  if (!hearing.stop) return;
  hearing.stop();
  hearing.stop = null;
  hearing.since = performance.now();
  hearing.cost = hearing.since - hearing.began;
}

/** A document and those of its frames of the same origin. */
function framesBelow(doc) {
  const found = [doc];
  for (const frame of doc.querySelectorAll("iframe,frame")) {
    try {
      if (frame.contentDocument && found.length < 60) found.push(...framesBelow(frame.contentDocument));
    } catch { /* another origin */ }
  }
  return found;
}
