// Elements out of values. Whatever pages and models said becomes text nodes, here and nowhere else.
// Shared: the player and the live view both begin with this file. Classic script, no globals but these.

/** An element: `el("p", { class: "muted", title: text }, "text", child, null)`; null and "" are left out. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** The element of this id. */
function byId(id) {
  return document.getElementById(id);
}

/** Seconds as a clock says them: `0:07`, `1:02:30`. */
function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A length of time in words: `850 ms`, `12.4 s`, `4 min 10 s`, `2 h 5 min`. */
function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Unix seconds as the reader's own time: `22 Nov 2026, 23:11:05`. */
function moment(when) {
  return new Date(when * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** Text of at most so many characters. */
function cut(text, limit) {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}

/** `1 step`, `2 steps`. */
function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
