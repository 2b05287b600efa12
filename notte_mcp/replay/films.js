// Two films with one clock: a video, or pictures that follow each other. Needs dom.js.
//
// A film: {element, seconds, time, playing, rate, ratio, play(), pause(), seek(seconds), nudge(direction)}; it calls
// `changed()` whenever what is seen may have.

const NUDGE_S = 0.1; // of a video, which does not tell its frames
const WITHIN_S = 0.005; // into a picture, so that no rounding shows the one before

/** The bytes that stand in base 64 in the element of this id. */
function bytesIn(id) {
  const text = byId(id).textContent;
  if (Uint8Array.fromBase64) return [Uint8Array.fromBase64(text)];
  const pieces = [];
  for (let from = 0; from < text.length; from += 1 << 20) {
    pieces.push(Uint8Array.from(atob(text.slice(from, from + (1 << 20))), (letter) => letter.charCodeAt(0)));
  }
  return pieces;
}

/** The film of a video; `failed` is called where this browser cannot play it. */
function videoFilm(video, type, seconds, changed, failed) {
  video.hidden = false;
  video.addEventListener("error", failed, { once: true });
  video.src = URL.createObjectURL(new Blob(bytesIn("video-bytes"), { type }));
  for (const name of ["timeupdate", "seeked", "play", "pause", "ended", "loadeddata", "ratechange"]) {
    video.addEventListener(name, changed);
  }
  const each = () => { changed(); if (!video.paused) requestAnimationFrame(each); };
  video.addEventListener("play", each);
  const within = (to) => Math.min(Math.max(0, to), film.seconds);
  const film = {
    element: video,
    // What was asked for last, until the video is there: keys that come quickly go on from it.
    get time() { return wanted ?? video.currentTime; },
    get seconds() { return Number.isFinite(video.duration) ? video.duration : seconds; },
    get playing() { return !video.paused && !video.ended; },
    get rate() { return video.playbackRate; },
    set rate(rate) { video.playbackRate = rate; },
    get ratio() { return video.videoWidth ? video.videoWidth / video.videoHeight : 0; },
    play() { if (video.ended) film.seek(0); video.play().catch(() => changed()); },
    pause() { video.pause(); },
    boxFor() { return null; }, // it is in the video
    seek(to) { wanted = within(to); video.currentTime = Math.min(wanted + WITHIN_S, film.seconds); changed(); },
    nudge(direction) { film.pause(); film.seek(film.time + direction * NUDGE_S); },
  };
  let wanted = null;
  video.addEventListener("seeked", () => { wanted = null; });
  return film;
}

/** The film of pictures: `pictures` are [seconds, whether the element is drawn into it, where to mark it], in order. */
function pictureFilm(image, pictures, seconds, changed) {
  let at = 0, before = null, shown = -1, rate = 1;
  image.hidden = pictures.length === 0;
  const show = () => {
    const number = pictureAt(pictures, at);
    if (number !== shown && number >= 0) {
      shown = number;
      image.src = pictureSource(number);
    }
    changed();
  };
  const tick = (now) => {
    if (before === null) return;
    at = Math.min(seconds, at + ((now - before) / 1000) * rate);
    before = at < seconds ? now : null;
    if (before !== null) requestAnimationFrame(tick);
    show();
  };
  image.addEventListener("load", changed);
  const film = {
    element: image,
    get time() { return at; },
    seconds,
    get playing() { return before !== null; },
    get rate() { return rate; },
    set rate(wanted) { rate = wanted; changed(); },
    get ratio() { return image.naturalWidth ? image.naturalWidth / image.naturalHeight : 0; },
    /** Where the picture that is seen is to be marked; a step's own box marks the one that it is known by. */
    boxFor(step) {
      const [, marked, box] = pictures[shown] ?? [0, true, null];
      if (marked) return null;
      return box ?? (step?.film && pictureAt(pictures, step.film[1]) === shown ? step.box : null);
    },
    play() {
      if (at >= seconds) at = 0;
      before = performance.now();
      requestAnimationFrame(tick);
      show();
    },
    pause() { before = null; changed(); },
    seek(to) { at = Math.min(Math.max(0, to), seconds); show(); },
    nudge(direction) {
      film.pause();
      const next = Math.min(Math.max(0, pictureAt(pictures, at) + direction), pictures.length - 1);
      if (next >= 0) film.seek(pictures[next][0]);
    },
  };
  show();
  return film;
}

/** Which picture is seen at this time: the last one that has come, else the first. */
function pictureAt(pictures, seconds) {
  let low = 0, high = pictures.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pictures[middle][0] <= seconds + WITHIN_S) low = middle + 1; else high = middle;
  }
  return pictures.length ? Math.max(0, low - 1) : -1;
}

/** A picture of this file as an address that loads nothing. */
function pictureSource(number) {
  return `data:image/jpeg;base64,${byId(`picture-${number}`).textContent}`;
}
