// The player: film, timeline and log held together. Whatever moves one moves all three.

const told = JSON.parse(byId("told").textContent);
const steps = told.entries.filter((entry) => entry.kind === "step");
const filmed = steps.filter((step) => step.film).sort((one, other) => one.film[0] - other.film[0]);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const narrow = matchMedia("(max-width: 899px)");
const lines = new Map(); // entry -> its <li>
const RATES = [0.5, 0.75, 1, 1.5, 2, 4];

let current = null, chosen = null, film = null, marks = null;

// --- the log ----------------------------------------------------------------------

function fillLog() {
  let before = "";
  for (const entry of told.entries) {
    const at = entry.film ? clock(entry.film[1]) : "";
    const line = entry.kind === "step" ? stepLine(entry, { before, at, jump: () => jump(entry) }) : eventLine(entry);
    if (entry.url) before = entry.url;
    lines.set(entry, line);
    byId("log").append(line);
  }
  if (!told.entries.length) nothing("Nothing was done yet.");
  rove(steps[0]);
}

const rowOf = (step) => lines.get(step).querySelector(".row");

/** One row of the log is in the order of the tab key; the arrows lead to the others. */
function rove(step) {
  for (const other of steps) rowOf(other).tabIndex = other === step ? 0 : -1;
}

function filterLog() {
  const wanted = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const failed = byId("only-failed").checked, hidden = new Set();
  for (const [entry, line] of lines) {
    const text = lineText(entry), fits = wanted.every((word) => text.includes(word)) && (!failed || entry.outcome === "failed");
    line.hidden = !fits;
    if (!fits) hidden.add(entry);
  }
  const left = lines.size - hidden.size;
  byId("found").textContent = wanted.length || failed ? `${left} of ${lines.size}` : "";
  nothing(left || !lines.size ? "" : "No line fits.");
  marks.dim(hidden);
  rove([current, ...steps].find((step) => step && !hidden.has(step)));
}

function nothing(text) {
  byId("nothing").textContent = text;
  byId("nothing").hidden = !text;
}

function alongLog(event) {
  const seen = steps.filter((step) => !lines.get(step).hidden);
  const at = seen.findIndex((step) => rowOf(step) === document.activeElement);
  const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: seen.length - 1 }[event.key];
  if (at < 0 || to === undefined || !seen[to]) return at >= 0 && to !== undefined;
  rove(seen[to]);
  rowOf(seen[to]).focus();
  return true;
}

// --- what is seen -----------------------------------------------------------------

/** The step that the film shows at this time: the last one that has begun. A step that was chosen stays chosen there. */
function stepAt(seconds) {
  if (chosen && (!chosen.film || Math.abs(chosen.film[1] - seconds) < 0.05)) return chosen;
  chosen = null;
  let found = null;
  for (const step of filmed) if (step.film[0] <= seconds + 0.01) found = step;
  return found;
}

function jump(step) {
  chosen = step;
  if (step.film) {
    film.pause();
    film.seek(step.film[1]);
  }
  changed();
}

function along(direction) {
  const at = steps.indexOf(current), to = steps[at + direction];
  if (to) jump(to);
  else if (direction < 0) seek(0);
}

function seek(seconds) {
  chosen = null;
  film.seek(seconds);
}

function toggle() {
  chosen = null;
  if (film.playing) film.pause(); else film.play();
}

/** Everything that follows the film, brought to where it stands. */
function changed() {
  if (!film || !marks) return;
  if (film.playing) chosen = null;
  const seconds = film.time, step = stepAt(seconds);
  document.body.classList.toggle("playing", film.playing);
  if (film.playing || seconds > 0 || chosen) document.body.classList.add("begun");
  byId("time").textContent = clock(seconds);
  byId("length").textContent = clock(film.seconds);
  for (const id of ["play", "start"]) byId(id).setAttribute("aria-label", film.playing ? "Pause" : "Play");
  if (film.ratio) byId("screen").style.setProperty("--ratio", String(film.ratio));
  marks.show(seconds, step, step ? `${step.number}: ${cut(step.words, 120)}` : "");
  if (step !== current) turnTo(step);
  showBox();
}

function turnTo(step) {
  if (current) lines.get(current).removeAttribute("aria-current");
  current = step;
  byId("now").setAttribute("aria-live", film.playing ? "off" : "polite");
  byId("now").replaceChildren(...(step ? [outcomeSign(step.outcome), el("b", {}, `${step.number} `), stepWords(step.words)] : []));
  showDetails(step);
  if (!step) return;
  lines.get(step).setAttribute("aria-current", "step");
  if (document.activeElement?.closest("#log")) rowOf(step).focus({ preventScroll: true });
  rove(step);
  bringIntoSight(lines.get(step));
}

/** A row of the log, scrolled to with some of what is around it; on a narrow page below the film, which stays. */
function bringIntoSight(line) {
  const behavior = calm.matches ? "auto" : "smooth";
  if (narrow.matches) {
    if (scrollY > 0 || film.playing) line.scrollIntoView({ block: "nearest", behavior });
    return;
  }
  const log = byId("log"), top = line.offsetTop - log.offsetTop, bottom = top + line.offsetHeight;
  const above = top - 60, below = bottom + 60 - log.clientHeight;
  if (above < log.scrollTop) log.scrollTo({ top: above, behavior });
  else if (below > log.scrollTop) log.scrollTo({ top: below, behavior });
}

/** Where the step's element stands, over a picture that does not have it drawn in. */
function showBox() {
  const image = byId("picture"), box = byId("box"), place = film.boxFor(current);
  box.hidden = image.hidden || !place || !image.naturalWidth;
  if (box.hidden) return;
  const [left, top, width, height] = place;
  const scale = Math.min(image.clientWidth / image.naturalWidth, image.clientHeight / image.naturalHeight);
  const across = image.naturalWidth * scale, down = image.naturalHeight * scale;
  box.style.left = `${image.offsetLeft + (image.clientWidth - across) / 2 + left * across}px`;
  box.style.top = `${image.offsetTop + (image.clientHeight - down) / 2 + top * down}px`;
  box.style.width = `${width * across}px`;
  box.style.height = `${height * down}px`;
  box.dataset.outcome = current?.outcome ?? "done";
}

// --- hands ------------------------------------------------------------------------

function faster(direction) {
  film.rate = RATES[Math.min(RATES.length - 1, Math.max(0, RATES.indexOf(film.rate) + direction))];
  byId("speed").value = String(film.rate);
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.querySelector(".watch").requestFullscreen?.().catch(() => {});
}

const KEYS = {
  " ": toggle, k: toggle, ArrowLeft: () => along(-1), ArrowRight: () => along(1), ",": () => nudge(-1), ".": () => nudge(1),
  "<": () => faster(-1), ">": () => faster(1), Home: () => seek(0), End: () => seek(film.seconds), f: fullScreen,
  PageUp: () => seek(film.time - 10), PageDown: () => seek(film.time + 10),
  "?": () => byId("help").showModal(), "/": () => byId("filter").focus(),
};

function nudge(direction) {
  chosen = null;
  film.nudge(direction);
}

function pressed(event) {
  const on = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (on === byId("filter")) {
    if (event.key === "Escape") { on.value = ""; filterLog(); on.blur(); }
    return;
  }
  if (on.matches("select, input") && event.key !== "?") return;
  const pressing = (event.key === " " || event.key === "Enter") && on.matches("button, summary");
  const scrolling = event.key.startsWith("Page") && on.closest("#log, #about");
  if (pressing || scrolling) return;
  if (on.closest("#log") && alongLog(event)) { event.preventDefault(); return; }
  if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

function listen() {
  document.addEventListener("keydown", pressed);
  const press = { play: toggle, start: toggle, back: () => along(-1), on: () => along(1), full: fullScreen };
  for (const [id, does] of Object.entries(press)) byId(id).addEventListener("click", does);
  byId("keys").addEventListener("click", () => byId("help").showModal());
  byId("close-help").addEventListener("click", () => byId("help").close());
  for (const id of ["video", "picture"]) byId(id).addEventListener("click", toggle);
  byId("speed").addEventListener("change", () => { film.rate = Number(byId("speed").value); });
  byId("filter").addEventListener("input", filterLog);
  byId("only-failed").addEventListener("change", filterLog);
  new ResizeObserver(showBox).observe(byId("screen"));
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--watch", `${document.querySelector(".watch").offsetHeight}px`);
  }).observe(document.querySelector(".watch"));
}

// --- the beginning ----------------------------------------------------------------

function showPictures() {
  byId("video").hidden = true;
  film = pictureFilm(byId("picture"), told.pictures, told.seconds, changed);
  document.body.classList.add("of-pictures");
  marks?.place();
}

function cannotPlay() {
  note(`This browser cannot play the video${told.pictures.length ? "; these are the pictures of its steps." : "."}`);
  showPictures();
}

function begin() {
  showHeading(told.heading, told.notes);
  if (told.video) film = videoFilm(byId("video"), told.video, told.seconds, changed, cannotPlay);
  else showPictures();
  const peek = (seconds) => { const number = pictureAt(told.pictures, seconds); return number < 0 ? "" : pictureSource(number); };
  marks = timeline(filmed, { length: () => film.seconds, seek, jump, picture: peek });
  marks.place();
  byId("video").addEventListener("durationchange", marks.place);
  fillLog();
  listen();
  if (narrow.matches) byId("about").open = false;
  showDetails(null);
  changed();
  const asked = /^#step-(\d+)$/.exec(location.hash);
  const first = asked && steps.find((step) => step.number === Number(asked[1]));
  if (first) jump(first);
}

begin();
