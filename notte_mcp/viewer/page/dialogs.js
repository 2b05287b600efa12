// What is asked of the person: the code, whether to stop, an option, a value. Each gives a promise of the answer.

for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/** Resolves with what `settle` was given, or with null once the dialog was closed. */
function asked(dialog, begin) {
  return new Promise((resolve) => {
    let answer = null;
    const settle = (value) => { answer = value; dialog.close(); };
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    begin(settle);
    dialog.showModal();
  });
}

/** Whether the person may act now: asks for the code where that is not known yet. */
async function mayAct() {
  if (link.mayAct) return true;
  const input = byId("code"), wrong = byId("code-wrong");
  input.value = wrong.textContent = "";
  const given = await asked(byId("code-dialog"), (settle) => {
    byId("code-form").onsubmit = async (event) => {
      event.preventDefault();
      const why = input.value.trim() ? await link.admit(input.value) : "Give the code.";
      wrong.textContent = why;
      if (why) input.select(); else settle(true);
    };
  });
  input.value = "";
  return given === true;
}

/** "agent" or "session", or null. */
function askStop(hasAgent) {
  byId("stop-words").textContent = hasAgent
    ? "The agent alone can be stopped: its browser stays open. Ending the session closes the browser with it."
    : "The browser is closed. What was done stays readable, with its replay.";
  const agent = byId("stop-agent"), session = byId("stop-session");
  agent.hidden = !hasAgent;
  return asked(byId("stop-dialog"), (settle) => {
    agent.onclick = () => settle("agent");
    session.onclick = () => settle("session");
  });
}

/** One of a list's options, or null. */
function askChoice(name, options) {
  byId("choice-name").textContent = name || "Choose";
  return asked(byId("choice-dialog"), (settle) => {
    byId("choices").replaceChildren(...options.map((option) => {
      const button = el("button", { type: "button", dir: "auto" }, option);
      button.addEventListener("click", () => settle(option));
      return button;
    }));
  });
}

const PICKERS = { date: "date", time: "time", color: "color", month: "month", week: "week", "datetime-local": "datetime-local", slider: "number" };

/** A value for a field that a browser has a picker for, or null. */
function askValue(field) {
  const input = byId("value");
  input.type = PICKERS[field.role] ?? "text";
  input.value = "";
  byId("value-name").textContent = field.name || field.role;
  return asked(byId("value-dialog"), (settle) => {
    byId("value-form").onsubmit = (event) => { event.preventDefault(); settle(input.value); };
  });
}
