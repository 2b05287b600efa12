// The session viewer in a host's page: a picture once or twice a second, the step log beside it.
"use strict";

const EVERY_MS = 700, HIDDEN_MS = 4000, AFTER_ERROR_MS = 3000, KEPT_LINES = 500;
const part = (id) => document.getElementById(id);
const seen = { session: null, agent: null, after: 0, since: 0, step: null, ended: false, torn: false };
let timer = 0, asking = false;

/** A call of a server's tool through the host: its structured content. */
async function call(name, args) {
  const result = await host.request("tools/call", { name, arguments: args });
  if (result.isError) throw new Error((result.content ?? []).map((block) => block.text ?? "").join(" "));
  return result.structuredContent ?? {};
}

function follow(session) {
  if (!session || session === seen.session) return;
  Object.assign(seen, { session, agent: null, after: 0, since: 0, step: null, ended: false });
  part("steps").replaceChildren();
  soon(0);
}

function soon(ms) {
  clearTimeout(timer);
  if (!seen.torn && !seen.ended) timer = setTimeout(look, ms);
}

async function look() {
  if (asking || !seen.session) return;
  asking = true;
  const session = seen.session;
  try {
    const news = await call("notte_frame", { session_id: session, after: seen.after, since: seen.since });
    if (session === seen.session) show(news);
    soon(news.lines?.length ? 0 : document.hidden ? HIDDEN_MS : EVERY_MS);
  } catch (error) {
    part("note").textContent = `${error.message} Trying again.`;
    soon(AFTER_ERROR_MS);
  } finally {
    asking = false;
  }
}

function show(news) {
  part("title").textContent = news.title || news.session_id;
  part("url").textContent = news.url ?? "";
  part("state").textContent = news.reason ? `${news.state} (${news.reason})` : news.state;
  part("state").classList.toggle("live", Boolean(news.live));
  for (const line of news.lines ?? []) addLine(line);
  seen.after = news.after ?? seen.after;
  if (news.picture && seen.step === null) picture(news.picture, "The page as it is now");
  if (news.at) seen.since = news.at;
  showAgent(news.agent);
  if (!news.live) {
    seen.ended = true;
    note("The session has ended. Choose a step to see its picture.");
  } else if (seen.step === null) {
    note(news.picture || seen.since ? "Live" : "Waiting for the first picture.");
  }
}

function showAgent(agent) {
  seen.agent = agent?.id ?? null;
  const at = part("agent");
  at.hidden = !agent;
  if (agent) at.textContent = `${agent.state.replace("_", " ")}: ${agent.question || agent.task}`;
  part("pause").hidden = agent?.state !== "running";
  part("resume").hidden = agent?.state !== "paused";
}

function note(text) {
  part("note").textContent = text;
}

function picture(base64, alt) {
  const img = part("picture");
  img.src = `data:image/jpeg;base64,${base64}`;
  img.alt = alt;
  img.hidden = false;
}

function addLine({ number, actor, what, success, why }) {
  const list = part("steps"), item = document.createElement("li"), button = document.createElement("button");
  const told = document.createElement("span"), count = document.createElement("span");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  count.className = "number";
  count.textContent = number;
  told.className = "what";
  told.textContent = (actor === "assistant" ? what : `${actor}: ${what}`) + (why ? `: ${why}` : "");
  button.type = "button";
  button.classList.toggle("failed", success === false);
  button.append(count, told);
  button.addEventListener("click", () => showStep(number, button));
  item.append(button);
  list.append(item);
  while (list.children.length > KEPT_LINES) list.firstChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

async function showStep(number, button) {
  seen.step = number;
  for (const other of part("steps").querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
  button.setAttribute("aria-current", "true");
  part("live").hidden = seen.ended;
  try {
    const found = await call("notte_frame", { session_id: seen.session, step: number });
    if (seen.step !== number) return;
    picture(found.picture, `Step ${number}`);
    note(`Step ${number}`);
  } catch (error) {
    note(error.message);
  }
}

function backToLive() {
  seen.step = null;
  seen.since = 0;
  part("live").hidden = true;
  for (const other of part("steps").querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
  soon(0);
}

async function steer(command) {
  if (!seen.agent) return;
  try {
    await call("notte_steer", { agent_id: seen.agent, command });
  } catch (error) {
    note(error.message);
  }
  soon(0);
}

function dress(context) {
  if (context.theme) document.documentElement.dataset.theme = context.theme;
  for (const [name, value] of Object.entries(context.styles?.variables ?? {})) {
    if (name.startsWith("--") && value) document.documentElement.style.setProperty(name, value);
  }
  if (context.availableDisplayModes) {
    part("wide").hidden = !context.availableDisplayModes.includes("fullscreen") || context.displayMode === "fullscreen";
  }
  if (context.displayMode) part("wide").hidden ||= context.displayMode === "fullscreen";
}

function meant(result) {
  const facts = result.structuredContent ?? {};
  if (facts.session_id) return facts.session_id;
  const said = (result.content ?? []).map((block) => block.text ?? "").join(" ");
  return said.match(/\bses_[A-Za-z0-9_-]+/)?.[0];
}

part("live").addEventListener("click", backToLive);
part("pause").addEventListener("click", () => steer("pause"));
part("resume").addEventListener("click", () => steer("resume"));
part("wide").addEventListener("click", () => host.request("ui/request-display-mode", { mode: "fullscreen" }).catch((e) => note(e.message)));
document.addEventListener("visibilitychange", () => soon(0));
host.on("ui/notifications/tool-input", (given) => follow(given.arguments?.session_id));
host.on("ui/notifications/tool-result", (result) => follow(meant(result)));
host.on("ui/notifications/host-context-changed", dress);
host.on("ui/resource-teardown", () => { seen.torn = true; clearTimeout(timer); });
new ResizeObserver(() => {
  const { scrollHeight, scrollWidth } = document.documentElement;
  host.notify("ui/notifications/size-changed", { width: scrollWidth, height: scrollHeight });
}).observe(document.body);

host.request("ui/initialize", {
  appInfo: { name: "notte-mcp viewer", version: "1" },
  appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
  protocolVersion: "2026-01-26",
}).then(({ hostContext }) => {
  dress(hostContext ?? {});
  host.notify("ui/notifications/initialized");
}, (error) => note(error.message));
