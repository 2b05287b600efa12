// The veil: what stands in a field that takes a secret is painted as dots, whatever the page makes of the field. It
// is begun before the page's own scripts, and everything here is done in an event before they hear of it or in a
// microtask, so before anything is painted.
//
// The dots are an inline style: it goes with the element through every tree (a style sheet of ours would have to be in
// each shadow root, need a selector for the element and so a mark on it, and stand where pages put their own), and it
// wins over every rule of the page. A field of type `password` is left alone until it shows itself.

const DOTS = "-webkit-text-security";
const VEILED = "input,textarea";
const TELLING = ["type", "autocomplete", "name", "id", "placeholder", "aria-label", "maxlength", "for"];
const FOLLOWED_MS = 15000;
const MOST_AGAIN = 100; // in one task: a page that takes it away as often has earned its own picture
const MOST_WAITING = 200;

const veil = (globalThis.notteVeil ??= beginVeil());

function beginVeil() {
  const covered = new WeakSet(), roots = new WeakSet(), waiting = new Set();
  let followed = 0, again = 0, labels = new WeakMap();

  const kept = new MutationObserver((records) => {
    if (!again) setTimeout(() => { again = 0; }, 0);
    for (const { target } of records) if (again++ < MOST_AGAIN) draw(target);
  });
  const changes = new MutationObserver(changed);

  function draw(el) {
    if (el.style.getPropertyValue(DOTS) === "disc" && el.style.getPropertyPriority(DOTS) === "important") return;
    el.style.setProperty(DOTS, "disc", "important");
  }

  /** Show dots in this field from now on. */
  function cover(el) {
    if (covered.has(el)) return;
    covered.add(el);
    kept.observe(el, { attributes: true, attributeFilter: ["style"] });
    draw(el);
  }

  function look(el) {
    if (isSecret(el, labelled) && el.type !== "password") cover(el);
  }

  /** The labels of a field, all of its tree having been looked for once in this batch. */
  function labelled(el) {
    const root = el.getRootNode(), around = el.closest("label");
    if (el.id && !labels.has(root)) {
      labels.set(root, new Map());
      for (const label of root.querySelectorAll?.("label[for]") ?? []) labels.get(root).set(label.htmlFor, [...(labels.get(root).get(label.htmlFor) ?? []), label]);
    }
    return [...(around ? [around] : []), ...(el.id ? labels.get(root).get(el.id) ?? [] : [])];
  }

  function isField(el) {
    return el.localName === "input" || el.localName === "textarea";
  }

  function changed(records) {
    labels = new WeakMap();
    for (const record of records) {
      if (record.type === "childList") {
        if (record.target === document) listen(); // a document that is written anew loses its listeners
        for (const node of record.addedNodes) if (node.nodeType === 1) found(node);
      } else if (isField(record.target)) {
        if (record.attributeName === "type" && record.oldValue?.toLowerCase() === "password") secretFields.add(record.target);
        look(record.target);
      } else if (record.target.localName === "label" && record.target.control) {
        look(record.target.control);
      }
    }
    for (const host of waiting) {
      if (host.shadowRoot) enter(host.shadowRoot);
      if (host.shadowRoot || !host.isConnected) waiting.delete(host);
    }
  }

  function found(node) {
    one(node);
    if (node.firstElementChild) for (const el of node.querySelectorAll("*")) one(el);
    const label = node.parentElement?.closest("label");
    if (label?.control) look(label.control);
  }

  function one(el) {
    if (isField(el)) look(el);
    else if (el.localName === "label") el.control && look(el.control);
    else if (el.shadowRoot) enter(el.shadowRoot);
    else if (el.localName.includes("-") && waiting.size < MOST_WAITING) waiting.add(el);
  }

  function enter(root) {
    if (!roots.has(root)) {
      roots.add(root);
      changes.observe(root, { subtree: true, childList: true, attributes: true, attributeOldValue: true, attributeFilter: TELLING });
    }
    labels = new WeakMap();
    for (const el of root.querySelectorAll("*")) one(el);
  }

  function heard(event) {
    const el = event.composedPath()[0];
    labels = new WeakMap();
    if (el?.nodeType !== 1 || !isField(el)) return;
    const root = el.getRootNode();
    if (root.nodeType === 11 && !roots.has(root)) enter(root);
    look(el);
    if (performance.now() < followed) cover(el);
  }

  function listen() {
    for (const name of ["focusin", "keydown", "beforeinput", "input", "paste", "pointerdown"]) addEventListener(name, heard, { capture: true, passive: true });
  }

  /** Cover every field that takes input from now on, for a while: a code that is typed jumps from box to box. */
  function follow(on) {
    followed = on ? performance.now() + FOLLOWED_MS : 0;
  }

  listen();
  enter(document);
  for (const name of ["DOMContentLoaded", "load"]) addEventListener(name, () => enter(document), { capture: true, once: true });
  return { cover, look, follow, has: (el) => covered.has(el) };
}
