// The person's hand, once the session is taken over: pointer, wheel and keys on the picture become acts, in their order.

const hand = (() => {
  const { stage } = picture;
  const DOUBLE_MS = 200, DRAG_PX = 6, WHEEL_MS = 80, MOST_WAITING = 30;
  let on = false, pressed = null, clicked = null, clickTimer = 0, wheel = null, wheelTimer = 0;
  const waiting = [];
  let busy = false;

  // --- acts, one after the other ---

  /** Do this once all that was meant before it is done. */
  function send(deed) {
    settleClick();
    settleWheel();
    typing.flush();
    push(deed);
  }

  /** Type where the caret stands. */
  function type(text) {
    settleClick();
    push({ do: "type", text });
  }

  function push(deed) {
    const last = waiting.at(-1);
    if (deed.do === "type" && !deed.id && last?.do === "type" && !last.id) last.text += deed.text;
    else if (waiting.length < MOST_WAITING) waiting.push(deed);
    else say("The page is slower than that: not everything was done.");
    if (!busy) void work();
  }

  /** Resolves once all of it is done: true, or false where something was not. */
  function settle() {
    return new Promise((resolve) => send({ do: "rest", resolve }));
  }

  function next() {
    while (waiting.length) {
      const first = typing.before(waiting[0]);
      if (first) return first;
      const deed = waiting.shift();
      if (deed.do === "rest") deed.resolve(true);
      else if (!typing.takes(deed)) return deed;
    }
    return null;
  }

  async function work() {
    busy = true;
    for (let deed = next(); deed; deed = next()) {
      stage.classList.add("busy");
      const answer = await link.act(deed);
      told(answer, deed);
      if (answer.choices) await choose(answer.choices);
      if (answer.ask) await fill(answer.ask);
      if (!answer.ok) drop(answer.message);
    }
    stage.classList.remove("busy");
    busy = false;
    typing.rested();
  }

  function told(answer, deed) {
    say([answer.ok ? "" : answer.message, answer.brought].filter(Boolean).join(" · "));
    popups.told(answer, deed);
    if ("focus" in answer) typing.setField(answer.focus);
    if (answer.boxed) waiting.unshift({ do: "type", text: deed.text }); // the focus went to a field that takes a secret
    if (deed.do === "secret" && answer.ok) typing.focus();
  }

  /** What was meant to follow was meant for another page. */
  function drop(why) {
    const acts = waiting.filter((deed) => deed.do !== "rest");
    const rests = waiting.filter((deed) => deed.do === "rest");
    waiting.length = 0;
    if (why && acts.length) say(`${why} What was to follow was not done either.`);
    for (const rest of rests) rest.resolve(false);
  }

  async function choose(list) {
    const value = await askChoice(list.name, list.options);
    if (value !== null) waiting.unshift({ do: "choose", id: list.id, value });
  }

  async function fill(field) {
    const value = await askValue(field);
    if (value !== null) waiting.unshift({ do: "fill", id: field.id, value });
  }

  // --- the pointer ---

  stage.addEventListener("pointerdown", (event) => {
    const at = on && event.button === 0 ? picture.point(event) : null;
    if (!at) return;
    typing.focus();
    pressed = { at, x: event.clientX, y: event.clientY, last: event.clientY, id: event.pointerId, touch: event.pointerType !== "mouse", moved: false };
    if (!pressed.touch) stage.setPointerCapture(event.pointerId);
  });

  stage.addEventListener("mousedown", (event) => { if (on) event.preventDefault(); }); // the keys stay where they are

  stage.addEventListener("pointermove", (event) => {
    if (!pressed || event.pointerId !== pressed.id) return;
    pressed.moved ||= Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > DRAG_PX;
    if (pressed.touch && pressed.moved && !picture.isActual) {
      turn(pressed.at, (pressed.last - event.clientY) / picture.scale);
      pressed.last = event.clientY;
    }
  });

  stage.addEventListener("pointercancel", () => { pressed = null; });

  stage.addEventListener("pointerup", (event) => {
    if (!pressed || event.pointerId !== pressed.id) return;
    const { at, moved, touch } = pressed, to = picture.point(event);
    pressed = null;
    if (touch && moved) return;
    if (moved && to) send({ do: "drag", ...at, to_x: to.x, to_y: to.y });
    else if (!moved) click(at);
  });

  /** One click, or two in one place where the second comes soon. */
  function click(at) {
    picture.ring(at);
    const twice = clicked && Math.hypot(at.x - clicked.x, at.y - clicked.y) * picture.scale <= DRAG_PX;
    if (twice) {
      clearTimeout(clickTimer);
      clicked = null;
      push({ do: "click", ...at, count: 2 });
      return;
    }
    settleClick();
    typing.flush();
    clicked = at;
    clickTimer = setTimeout(settleClick, DOUBLE_MS);
  }

  function settleClick() {
    clearTimeout(clickTimer);
    const at = clicked;
    clicked = null;
    if (at) push({ do: "click", ...at });
  }

  stage.addEventListener("wheel", (event) => {
    const at = on ? picture.point(event) : null;
    if (!at || event.ctrlKey || picture.isActual) return;
    event.preventDefault();
    const unit = [1, 16, 400][event.deltaMode] ?? 1;
    turn(at, event.deltaY * unit);
  }, { passive: false });

  function turn(at, by) {
    if (!wheel) { settleClick(); typing.flush(); }
    wheel = { at, by: (wheel?.by ?? 0) + by };
    wheelTimer ||= setTimeout(settleWheel, WHEEL_MS);
  }

  function settleWheel() {
    clearTimeout(wheelTimer);
    wheelTimer = 0;
    const turned = wheel;
    wheel = null;
    if (turned && Math.abs(turned.by) >= 1) push({ do: "wheel", ...turned.at, by: Math.round(turned.by) });
  }

  stage.addEventListener("contextmenu", (event) => { if (on) event.preventDefault(); });

  /** Mouse and keyboard go to the page, or do not. */
  function set(now) {
    if (on === now) return;
    on = now;
    stage.classList.toggle("taken", on);
    clearTimeout(clickTimer);
    clicked = wheel = null;
    if (!on) drop("");
    typing.set(on);
    popups.set(on);
    if (!on) return;
    typing.focus();
    say("Mouse and keyboard go to the page. F6 leaves the picture.");
  }

  return { set, send, type, settle, get isIdle() { return !busy && !waiting.length && !clicked; } };
})();
