// What comes from the server is handed to the part that shows it; the log grows at its end and stays where it is read.

const logbook = (() => {
  const list = byId("log"), scroll = byId("scroll"), newest = byId("newest");
  let steps = 0, before = "", flight = null, follows = true;
  const MOST = 1000;

  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 48;
  const time = (when) => new Date(when * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

  function add(lines) {
    follows = atEnd();
    flight?.remove();
    flight = null;
    for (const line of lines) {
      const item = line.kind === "event" ? eventLine(line) : stepLine(line, { before, at: time(line.when) });
      if (line.besides) item.querySelector(".what").append(el("span", { class: "besides", dir: "auto" }, cut(line.besides, 280)));
      list.append(item);
      if (line.outcome === "in flight") { flight = item; continue; }
      if (line.kind === "step") { steps = Math.max(steps, line.number); before = line.url || before; }
    }
    while (list.children.length > MOST) list.firstChild.remove();
    byId("nothing").hidden = list.children.length > 0;
    byId("count").textContent = steps ? counted(steps, "step") : "";
    if (follows) toEnd(); else newest.hidden = false;
  }

  function toEnd() {
    scroll.scrollTop = scroll.scrollHeight;
    newest.hidden = true;
  }

  /** A new line to the server begins with everything again. */
  function clear() {
    list.replaceChildren();
    steps = 0;
    before = "";
    flight = null;
  }

  // What stands above it grows by itself: its end stays where it was.
  new ResizeObserver(() => { if (follows) toEnd(); }).observe(scroll);

  newest.addEventListener("click", () => { toEnd(); scroll.focus(); });
  scroll.addEventListener("scroll", () => { follows = atEnd(); if (follows) newest.hidden = true; }, { passive: true });
  return { add, clear };
})();

function take(message) {
  if (message.frame) picture.show(message.frame);
  if (message.session) panel.setSession(message.session);
  if ("agent" in message) panel.setAgent(message.agent);
  if (message.log) logbook.add(message.log);
  if (message.error) say(message.error);
  if (message.end && byId("picture").hidden) byId("waiting").textContent = "The session is over.";
}

function stands(state, words) {
  byId("link").dataset.state = state;
  byId("link-words").textContent = state === "refused" ? "Not open" : words;
  document.body.dataset.link = state;
  if (state === "live") logbook.clear();
  if (state === "refused") {
    byId("waiting").textContent = words;
    byId("waiting").hidden = false;
    byId("state-words").textContent = "Not open";
    byId("controls").hidden = true;
  }
  panel.draw();
}

async function begin() {
  if (link.code) {
    const why = await link.admit(link.code);
    if (why) say(why);
  }
  await link.follow(take, stands);
}

void begin();
