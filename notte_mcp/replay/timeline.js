// The timeline: where the film stands, a mark for each step, and what is to be seen under the pointer. Needs dom.js.

const NEAR_PX = 9; // a mark takes what is pressed this close to it
const ROOM_PX = 14; // of a round mark; where there is less for each, they are strokes

/**
 * `steps` are the entries that are seen in the film, `seconds` its length; `seek(seconds)` and `jump(step)` are what it
 * is for; `picture(seconds)` gives the address of what is seen then, or "".
 */
function timeline(steps, { length, seek, jump, picture }) {
  const whole = byId("timeline"), track = byId("track"), marks = byId("marks"), peek = byId("peek");
  const part = (seconds) => (length() > 0 ? Math.min(1, Math.max(0, seconds / length())) : 0);
  const drawn = steps.map((step) => {
    const mark = el("span", { class: "mark", "data-number": step.number, "data-outcome": step.outcome });
    marks.append(mark);
    return mark;
  });

  let marked = null;

  /** Put each mark where its step is seen; asked for again when the length is known better. */
  function place() {
    steps.forEach((step, index) => { drawn[index].style.left = `${part(step.film[1]) * 100}%`; });
    marks.classList.toggle("dense", steps.length * ROOM_PX > marks.clientWidth);
  }

  function show(seconds, current, words) {
    byId("played").style.transform = `scaleX(${part(seconds)})`;
    track.setAttribute("aria-valuemax", length().toFixed(1));
    track.setAttribute("aria-valuenow", seconds.toFixed(1));
    track.setAttribute("aria-valuetext", `${clock(seconds)} of ${clock(length())}${words ? `, step ${words}` : ""}`);
    if (current !== marked) steps.forEach((step, index) => drawn[index].classList.toggle("current", step === current));
    marked = current;
  }

  function dim(hidden) {
    steps.forEach((step, index) => drawn[index].classList.toggle("dim", hidden.has(step)));
  }

  const secondsAt = (event) => {
    const { left, width } = track.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * length();
  };
  const near = (event) => {
    const { left, width } = track.getBoundingClientRect();
    let found = null, best = NEAR_PX;
    for (const step of steps) {
      const away = Math.abs(left + part(step.film[1]) * width - event.clientX);
      if (away < best) [found, best] = [step, away];
    }
    return found;
  };

  function tell(event) {
    const step = near(event), seconds = step ? step.film[1] : secondsAt(event), source = picture(seconds);
    const { left, width } = whole.getBoundingClientRect();
    byId("peek-words").textContent = step ? `${step.number}  ${cut(step.words, 90)}` : clock(seconds);
    byId("peek-picture").hidden = !source;
    if (source && byId("peek-picture").src !== source) byId("peek-picture").src = source;
    peek.hidden = false;
    const half = peek.offsetWidth / 2;
    peek.style.left = `${Math.min(Math.max(event.clientX - left, half), width - half)}px`;
  }

  new ResizeObserver(place).observe(marks);
  let held = false;
  whole.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = true;
    whole.setPointerCapture(event.pointerId);
    const step = near(event);
    if (step) jump(step); else seek(secondsAt(event));
    track.focus({ preventScroll: true });
    event.preventDefault();
  });
  whole.addEventListener("pointermove", (event) => {
    if (held && !near(event)) seek(secondsAt(event));
    if (held || event.pointerType === "mouse") tell(event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    whole.addEventListener(name, (event) => { held = false; if (event.pointerType !== "mouse") peek.hidden = true; });
  }
  whole.addEventListener("pointerleave", () => { if (!held) peek.hidden = true; });
  return { place, show, dim };
}
