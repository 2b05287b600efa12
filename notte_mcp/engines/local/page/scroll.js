// Scrolling, marks for a screenshot, and what a document keeps.

/** Scroll the named container, or what the page itself scrolls by. `req`: {key, dy, fraction}. */
async function scroll(req) {
  const el = req.key === null ? null : elementOf(req.key);
  if (req.key !== null && !el?.isConnected) return { error: "gone" };
  const box = scrollerFor(el, req.down);
  const view = box.ownerDocument.defaultView;
  const whole = box === box.ownerDocument.scrollingElement;
  const height = whole ? view.innerHeight : box.clientHeight;
  const by = Math.round(req.amount ?? height * 0.7) * (req.down ? 1 : -1);
  const before = box.scrollTop;
  box.scrollBy({ top: by, behavior: "instant" });
  await nextFrame();
  await nextFrame();
  return { moved: Math.round(box.scrollTop - before), top: Math.round(box.scrollTop), left: Math.round(box.scrollHeight - box.scrollTop - height), whole };
}

function scrollerFor(el, down) {
  const scrolls = (box) => {
    if (box.scrollHeight <= box.clientHeight + 1) return false;
    const overflow = getComputedStyle(box).overflowY;
    return box === box.ownerDocument.scrollingElement ? overflow !== "hidden" : overflow === "auto" || overflow === "scroll" || overflow === "overlay";
  };
  for (let up = el; up; up = above(up)) if (scrolls(up)) return up;
  if (el) return el;
  const page = document.scrollingElement ?? document.documentElement;
  const room = down ? page.scrollHeight - page.clientHeight - page.scrollTop > 1 : page.scrollTop > 1;
  if (room && scrolls(page)) return page;
  // A page that does not scroll itself mostly has one box in its middle that does.
  for (let up = deepHit(document, innerWidth / 2, innerHeight / 2); up; up = above(up)) {
    if (up !== page && scrolls(up)) return up;
  }
  return page;
}

/** Cover secret fields and draw ids over elements, in a closed shadow root above the page. `req`: {ids: [{key, id}]}. */
function mark(req) {
  unmark();
  const covered = rootsOf(document).flatMap((root) => [...root.querySelectorAll("input,textarea")]).filter((el) => el.value && isSecret(el));
  if (!req.ids.length && !covered.length) return;
  const host = document.createElement("notte-marks");
  host.style.cssText = "position:fixed;inset:0;width:100vw;height:100vh;margin:0;border:0;padding:0;background:none;overflow:visible;pointer-events:none;z-index:2147483647";
  const root = host.attachShadow({ mode: "closed" });
  for (const el of covered) {
    const r = el.getBoundingClientRect(), base = frameOffset(el.ownerDocument.defaultView), cover = document.createElement("div");
    cover.style.cssText = `position:fixed;left:${r.left + base.x}px;top:${r.top + base.y}px;width:${r.width}px;height:${r.height}px;background:#444`;
    root.append(cover);
  }
  for (const { key, id } of req.ids) {
    const el = elementOf(key);
    if (!el?.isConnected) continue;
    const r = el.getBoundingClientRect(), base = frameOffset(el.ownerDocument.defaultView);
    if (r.bottom + base.y < 0 || r.top + base.y > innerHeight || r.width === 0) continue;
    const box = document.createElement("div");
    box.style.cssText = `position:fixed;left:${r.left + base.x}px;top:${r.top + base.y}px;width:${r.width}px;height:${r.height}px;outline:2px solid #d6336c`;
    const tag = document.createElement("span");
    tag.textContent = id;
    tag.style.cssText = "position:absolute;left:0;top:0;font:bold 11px/13px sans-serif;background:#d6336c;color:#fff;padding:0 3px";
    box.append(tag);
    root.append(box);
  }
  document.documentElement.append(host);
  host.popover = "manual"; // above the page's own dialogs, which stand above every z-index
  host.showPopover();
}

function unmark() {
  for (const old of document.querySelectorAll("notte-marks")) old.remove();
}

/** Local storage of this world's origin, capped at 1 MB, or null where there is none. */
function localStorageItems() {
  try {
    let size = 0;
    const items = [];
    for (let i = 0; i < localStorage.length; i++) {
      const name = localStorage.key(i), value = localStorage.getItem(name);
      size += name.length + value.length;
      if (size > 1e6) break;
      items.push({ name, value });
    }
    return { origin: location.origin, items };
  } catch {
    return null;
  }
}
