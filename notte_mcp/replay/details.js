// The header, and what is known of one step. Needs dom.js and log_lines.js.

const STATES_WELL = new Set(["completed", "ready", "busy", "running", "stopped"]);
const STATES_ILL = new Set(["failed", "interrupted"]);

/** What is above the film: whose replay this is, how it stands, when it was and how much. */
function showHeading(heading, notes) {
  byId("title").textContent = heading.title;
  byId("title").title = heading.title;
  const badge = el("span", { class: "badge", "data-mood": mood(heading) }, heading.state.replace("_", " "));
  const used = heading.usage, tokens = (used.input_tokens ?? 0) + (used.output_tokens ?? 0);
  const facts = [
    ["State", [badge, heading.reason ? ` ${cut(heading.reason, 200)}` : ""]],
    heading.live === null ? null : ["Live", [el("strong", { class: "live" }, `as of ${moment(heading.live)}`)]],
    ["Steps", [`${heading.steps}`, heading.failed ? el("span", { class: "ill" }, ` ✕ ${heading.failed} failed`) : ""]],
    heading.begun === null ? null : ["Began", [moment(heading.begun)]],
    heading.seconds === null ? null : ["Took", [span(heading.seconds)]],
    tokens ? ["Model", [`${counted(used.model_calls, "call")}, ${tokens.toLocaleString()} tokens${cost(used)}`]] : null,
    heading.url ? ["Page", [el("span", { class: "mono cut", dir: "ltr", title: heading.url }, heading.url)], "wide"] : null,
    [heading.kind === "agent" ? "Agent" : "Session", [el("span", { class: "mono" }, heading.id)], "wide"],
  ];
  for (const fact of facts) {
    if (fact) byId("facts").append(el("div", { class: fact[2] ?? null }, el("dt", {}, fact[0]), el("dd", {}, ...fact[1])));
  }
  notes.forEach(note);
}

function mood(heading) {
  if (heading.success === false || STATES_ILL.has(heading.state)) return "ill";
  return STATES_WELL.has(heading.state) ? "well" : "open";
}

function cost(used) {
  return used.usd > 0 ? `, $${used.usd.toFixed(used.usd < 1 ? 4 : 2)}` : "";
}

/** A sentence above the film. */
function note(text) {
  byId("notes").append(el("p", {}, text));
  byId("notes").hidden = false;
}

/** All that is known of a step, as text; of none, that none has begun. */
function showDetails(step) {
  const name = step ? [el("b", {}, `Step ${step.number}`), ` ${cut(step.words, 120)}`] : ["No step has begun yet"];
  byId("about-name").replaceChildren(...name);
  const rows = !step ? [] : [
    ["Outcome", `${step.outcome}${step.message ? `: ${step.message}` : ""}`],
    ["By", step.actor],
    ["When", `${moment(step.when)}${step.film ? `, at ${clock(step.film[1])} of the film` : ", not in the film"}`],
    ...step.details,
  ];
  byId("parts").replaceChildren(...rows.map(([term, text]) => el("div", {}, el("dt", {}, term), el("dd", { dir: "auto" }, text))));
  byId("parts").scrollTop = 0;
}
