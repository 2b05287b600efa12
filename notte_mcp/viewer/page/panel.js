// How the session and its agent stand, in words, and the buttons that change it.

const STATES = {
  running: ["Working", "good"], paused: ["Paused", "warn"], needs_input: ["Asks you", "warn"], stopping: ["Stopping", "warn"],
  completed: ["Completed", "good"], failed: ["Failed", "bad"], stopped: ["Stopped", "plain"], interrupted: ["Interrupted", "warn"],
};
const ENDS = {
  user: "it was stopped", idle_timeout: "nobody used it for a while", max_duration: "its time was over", crash: "its browser ended",
  restart: "the server ended", max_steps: "its steps were used up", timeout: "its time was over", budget: "its budget was used up",
};

/** A short sentence for the person, beside the picture. */
function say(text) {
  byId("said").textContent = text;
}

const panel = (() => {
  let session = null, agent = null, asked = "";
  const takes = () => session?.taken_here === true && link.mayAct;
  const mine = () => agent?.is_live && agent.driver !== "assistant";

  function setSession(told) {
    if (told.url && told.url !== session?.url) asked = "";
    session = told;
    byId("title").textContent = told.title || told.url || "An empty page";
    document.title = `${told.title || "Live view"} · live view`;
    const url = byId("url");
    if (document.activeElement !== url || url.readOnly) url.value = told.url || asked;
    drawTabs(told.tabs);
    draw();
  }

  function setAgent(told) {
    if (told?.state === "needs_input" && agent?.state !== "needs_input") byId("answer").value = "";
    agent = told;
    draw();
  }

  function drawTabs(tabs) {
    const bar = byId("tabs");
    bar.hidden = tabs.length < 2;
    bar.replaceChildren(...tabs.map((tab) => {
      const button = el("button", { type: "button", dir: "auto", "aria-current": tab.current ? "true" : null, title: tab.title }, cut(tab.title || "An empty page", 40));
      button.disabled = !takes() && !tab.current;
      button.addEventListener("click", () => { if (!tab.current) hand.send({ do: "tab", index: tab.index }); });
      return button;
    }));
  }

  // --- words ---

  function state() {
    const over = session && !["starting", "ready", "busy", "stopping"].includes(session.state);
    if (over) return [agent ? `${STATES[agent.state]?.[0] ?? agent.state} · session over` : "Session over", STATES[agent?.state]?.[1] ?? "plain"];
    if (takes()) return ["You have taken over", "human"];
    if (session?.taken) return ["A person has taken over", "human"];
    if (!agent) return ["Driven by the assistant", "plain"];
    if (agent.is_live && agent.driver === "assistant") return ["The assistant is at work", "good"];
    return STATES[agent.state] ?? [agent.state, "plain"];
  }

  function note() {
    if (!session) return "";
    const over = !["starting", "ready", "busy", "stopping"].includes(session.state);
    if (over) return `The session is over${ENDS[session.reason] ? `: ${ENDS[session.reason]}` : session.reason ? ` (${session.reason})` : ""}.`;
    if (session.note) return agent?.state === "paused" ? `${session.note} The agent is still paused.` : session.note;
    return "";
  }

  function outcome() {
    if (!agent || agent.is_live) return "";
    const why = ENDS[agent.reason] ?? agent.reason;
    return [agent.answer, why && agent.state !== "completed" ? `(${why})` : ""].filter(Boolean).join(" ");
  }

  const put = (id, text) => { const node = byId(id); if (node.textContent !== text) node.textContent = text; node.hidden = !text; };

  function draw() {
    const [words, mood] = state();
    byId("state").dataset.mood = mood;
    if (byId("state-words").textContent !== words) byId("state-words").textContent = words;
    put("task", agent?.task ?? "");
    put("note", note());
    put("outcome", outcome());
    const asks = agent?.state === "needs_input" && agent.driver !== "assistant";
    byId("question").hidden = !asks;
    if (asks) byId("asked").textContent = agent.question ?? "The agent needs an answer.";
    drawControls();
  }

  function drawControls() {
    const live = session !== null && ["starting", "ready", "busy"].includes(session.state), taken = takes();
    const take = byId("take"), pause = byId("pause");
    take.textContent = taken ? "Give back" : "Take over";
    take.hidden = byId("stop").hidden = !live;
    take.classList.toggle("human", taken);
    const stands = agent?.state;
    pause.hidden = !live || !mine() || taken || !["running", "paused"].includes(stands);
    pause.textContent = stands === "paused" ? "Resume" : "Pause";
    byId("going").hidden = byId("new-tab").hidden = !taken;
    byId("url").readOnly = !taken;
    for (const tab of byId("tabs").children) tab.disabled = !taken && tab.getAttribute("aria-current") !== "true";
    hand.set(taken);
  }

  // --- what the buttons do ---

  async function act(deed, button = null) {
    if (!(await mayAct())) return null;
    if (button) button.disabled = true;
    const answer = await link.act(deed);
    if (button) button.disabled = false;
    say(answer.message ?? "");
    return answer;
  }

  /** Whether all that was meant before the page is another's again is done. */
  function left() {
    popups.disarm();
    return hand.settle();
  }

  byId("take").addEventListener("click", async (event) => {
    const giving = takes();
    if (giving && !(await left())) return;
    const answer = await act({ do: giving ? "give_back" : "take_over" }, event.target);
    if (answer?.ok && session) {
      // The stream says so too, a moment later.
      session = { ...session, taken: !giving, taken_here: !giving, note: "" };
      draw();
      if (giving) byId("take").focus();
    }
  });

  byId("pause").addEventListener("click", (event) => act({ do: agent?.state === "paused" ? "resume" : "pause" }, event.target));

  byId("stop").addEventListener("click", async () => {
    if (!(await mayAct())) return;
    const what = await askStop(Boolean(mine()));
    if (what) await act({ do: "stop", what }, byId("stop"));
  });

  byId("question").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = byId("answer").value.trim();
    if (!text) return byId("answer").focus();
    if (takes() && !(await left())) return;
    const answer = await act({ do: "answer", text });
    if (answer?.ok) byId("answer").value = "";
  });
  byId("answer").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); byId("question").requestSubmit(); }
  });

  byId("replay").addEventListener("click", async (event) => {
    const button = event.target;
    // Opened now, while the click allows it: what is made takes a moment.
    const page = window.open("", "_blank");
    button.disabled = true;
    say("The replay is made …");
    const answer = await link.replay();
    button.disabled = false;
    say(answer.ok ? "" : answer.message);
    if (page && answer.ok) { page.opener = null; page.location.replace(answer.path); } else if (page) page.close();
    else if (answer.ok) location.assign(answer.path);
  });

  for (const go of ["back", "forward", "reload"]) byId(go).addEventListener("click", () => hand.send({ do: go }));
  byId("new-tab").addEventListener("click", () => hand.send({ do: "new_tab", url: "about:blank" }));
  byId("address").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = byId("url").value.trim();
    if (takes() && url) { asked = url; hand.send({ do: "goto", url }); typing.focus(); }
  });

  return { setSession, setAgent, draw };
})();
