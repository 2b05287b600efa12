// The picture: frames as they come, never larger than the page itself, and where in the page a pointer stands.

const picture = (() => {
  const image = byId("picture"), sheet = byId("sheet"), stage = byId("stage"), size = byId("size");
  let viewport = [1280, 800], actual = false;

  function show(frame) {
    const next = `data:image/jpeg;base64,${frame.jpeg}`;
    if (frame.viewport[0] !== viewport[0] || frame.viewport[1] !== viewport[1] || image.hidden) {
      viewport = frame.viewport;
      stage.style.setProperty("--wide", viewport[0]);
      stage.style.setProperty("--high", viewport[1]);
    }
    image.src = next;
    image.hidden = false;
    byId("waiting").hidden = true;
  }

  /** Where in the page (CSS px of its viewport) an event points; null where that is beside the picture. */
  function point(event) {
    const box = image.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * viewport[0], y = ((event.clientY - box.top) / box.height) * viewport[1];
    return image.hidden || x < 0 || y < 0 || x >= viewport[0] || y >= viewport[1] ? null : { x: round(x), y: round(y) };
  }

  const round = (number) => Math.round(number * 10) / 10;

  /** Put an element of ours over a box of the page. */
  function place(element, box) {
    element.hidden = !box;
    if (!box) return;
    const [left, top, width, height] = box;
    const style = { left: left / viewport[0], top: top / viewport[1], width: width / viewport[0], height: height / viewport[1] };
    for (const [name, share] of Object.entries(style)) element.style[name] = `${share * 100}%`;
  }

  /** A ring where the person clicked, so that it is seen at once. */
  function ring(at) {
    const mark = byId("ring");
    mark.hidden = true;
    mark.style.left = `${(at.x / viewport[0]) * 100}%`;
    mark.style.top = `${(at.y / viewport[1]) * 100}%`;
    void mark.offsetWidth; // begins its animation anew
    mark.hidden = false;
  }

  size.addEventListener("click", () => {
    actual = !actual;
    size.setAttribute("aria-pressed", String(actual));
    stage.classList.toggle("actual", actual);
  });

  return { show, point, place, ring, get scale() { return image.getBoundingClientRect().width / viewport[0] || 1; }, get isActual() { return actual; }, sheet, stage };
})();
