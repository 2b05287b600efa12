// A log line as elements: a step, or what was said between two. Needs dom.js; styled by log_lines.css over tokens.css.
// Shared with the live view: read the three by importlib.resources from notte_mcp.replay and put them before your own.
//
// A step: {kind: "step", number, actor, words, outcome, message, url, when}; outcome is "done", "failed", "cancelled",
// "in flight" or "outcome unknown". What was said: {kind: "event", event, text, when}. Times are Unix seconds.

const SIGNS = { done: "✓", failed: "✕", cancelled: "–", "in flight": "…", "outcome unknown": "?" };

const EVENTS = {
  started: "Began", attempt: "New attempt", thought: "Thought", paused: "Paused", resumed: "Resumed", message: "Told",
  needs_input: "Asks", answer: "Answered", model_retry: "Asked its model again", repaired: "Mended the model's answer",
  refused: "Refused", interrupted: "Interrupted", ended: "Ended",
};

const WORDS_SHOWN = 280;

/** What an outcome looks like: a sign in a shape of its own, and its word for who cannot see it. */
function outcomeSign(outcome) {
  return el("span", { class: "sign", "data-outcome": outcome },
    el("span", { "aria-hidden": "true" }, SIGNS[outcome] ?? "?"), el("span", { class: "unseen" }, ` ${outcome}: `));
}

/** A step's words, its verb told apart from what it is about. */
function stepWords(words) {
  const [verb, ...rest] = cut(words, WORDS_SHOWN).split(" ");
  return el("span", { class: "words", dir: "auto" }, el("b", {}, verb), rest.length ? ` ${rest.join(" ")}` : "");
}

/**
 * A step's line: an <li> around a button (`jump`), or around plain text where there is nowhere to jump to.
 * `url` is shown where it differs from `before`, the one that the line above ended on; `at` is its time as text.
 */
function stepLine(step, { before = "", at = "", jump = null } = {}) {
  const elsewhere = step.url && step.url !== before && !step.words.includes(step.url);
  const body = [
    el("span", { class: "number" }, String(step.number ?? "")),
    outcomeSign(step.outcome),
    el("span", { class: "what" }, stepWords(step.words),
      step.message ? el("span", { class: "message", dir: "auto" }, cut(step.message, WORDS_SHOWN)) : null),
    el("span", { class: "side" }, el("span", { class: "actor", "data-actor": step.actor }, step.actor),
      at ? el("span", { class: "at" }, at) : null),
    elsewhere ? el("span", { class: "url", dir: "ltr" }, `→\u00a0${cut(step.url, 160)}`) : null,
  ];
  const line = el("li", { class: "line step", "data-number": step.number, "data-outcome": step.outcome });
  const inner = jump ? el("button", { type: "button", class: "row" }, ...body) : el("div", { class: "row" }, ...body);
  if (jump) inner.addEventListener("click", jump);
  line.append(inner);
  return line;
}

/** The line of what was said: its name and its text; a long one opens. */
function eventLine(event) {
  const name = el("span", { class: "event-name" }, EVENTS[event.event] ?? event.event);
  const line = el("li", { class: "line event", "data-event": event.event });
  if (event.text.length <= WORDS_SHOWN) {
    line.append(el("p", { class: "row" }, name, event.text ? el("span", { class: "said", dir: "auto" }, event.text) : null));
    return line;
  }
  line.append(el("details", { class: "row" },
    el("summary", {}, name, el("span", { class: "said", dir: "auto" }, cut(event.text, WORDS_SHOWN))),
    el("p", { class: "said whole", dir: "auto" }, event.text)));
  return line;
}

/** What a filter finds in a line, in small letters. */
function lineText(line) {
  const parts = line.kind === "event"
    ? [line.event, EVENTS[line.event], line.text]
    : [line.number, line.actor, line.words, line.outcome, line.message, line.url];
  return parts.filter((part) => part !== null && part !== undefined).join(" ").toLowerCase();
}
