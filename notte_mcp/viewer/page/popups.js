// The page's own dialogs (alert, confirm, prompt) are answered at once, so that nothing ever waits for them: what the
// next one is to be answered is said before, and what was answered no may be done again.

const popups = (() => {
  const next = byId("next-dialog"), again = byId("again");
  let asked = null;

  /** What an act brought about: the answer that stood ready is used up by any dialog. */
  function told(answer, deed) {
    if (answer.answered) ready("dismiss");
    if (deed.do === "dialog" && answer.ok) say(next.value === "dismiss" ? "" : "The next dialog of the page is accepted.");
    asked = answer.dismissed && ["click", "key"].includes(deed.do) ? { ...answer.dismissed, deed } : null;
    again.hidden = !asked;
    again.textContent = asked?.kind === "prompt" ? "Do it again and answer" : "Do it again and accept";
  }

  function ready(what) {
    next.value = what;
    next.classList.toggle("set", what !== "dismiss");
  }

  function arm(accept, text = null) {
    ready(accept ? (text === null ? "accept" : "answer") : "dismiss");
    hand.send({ do: "dialog", accept, text });
  }

  again.addEventListener("click", async () => {
    const { kind, message, deed } = asked;
    const text = kind === "prompt" ? await askValue({ name: `The page asks: ${cut(message, 300)}` }) : null;
    if (kind === "prompt" && text === null) return;
    again.hidden = true;
    arm(true, text);
    hand.send(deed);
    typing.focus();
  });

  next.addEventListener("change", async () => {
    const what = next.value, before = next.classList.contains("set");
    if (what !== "answer") return arm(what === "accept");
    const text = await askValue({ name: "What the next dialog is answered" });
    if (text !== null) arm(true, text);
    else if (before) arm(false); // what stood ready before is not what is seen any more
    else ready("dismiss");
  });

  /** What the person wanted answered is for the person's own acts. */
  function disarm() {
    if (next.value !== "dismiss") arm(false);
  }

  function set(on) {
    byId("popup").hidden = !on;
    again.hidden = true;
    asked = null;
    ready("dismiss");
  }

  return { told, disarm, set };
})();
