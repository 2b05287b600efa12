// The person's hand, once the session is taken over: pointer, wheel and keys on the picture become acts, in their order.

const hand = (() => {
  const { stage } = picture;
  const BURST_MS = 300, DOUBLE_MS = 200, DRAG_PX = 6, WHEEL_MS = 80, MOST_WAITING = 30;
  const NAMED = /^(Enter|Tab|Backspace|Delete|Escape|Arrow(Left|Right|Up|Down)|Home|End|PageUp|PageDown|Insert|F([1-5]|[7-9]|1[0-2]))$/;
  let on = false, focus = null, buffer = "", bufferTimer = 0, pressed = null, clickTimer = 0, wheel = null, wheelTimer = 0;
  const waiting = [];
  let busy = false;

  // --- acts, one after the other ---

  function send(deed) {
    if (waiting.length < MOST_WAITING) waiting.push(deed);
    if (!busy) void work();
  }

  async function work() {
    busy = true;
    for (let deed = waiting.shift(); deed; deed = waiting.shift()) {
      stage.classList.add("busy");
      const answer = await link.act(deed);
      told(answer, deed);
      if (answer.choices) await choose(answer.choices);
      if (answer.ask) await fill(answer.ask);
      if (!answer.ok) waiting.length = 0; // what was meant to follow was meant for another page
    }
    stage.classList.remove("busy");
    busy = false;
  }

  function told(answer, deed) {
    say(answer.ok ? "" : answer.message);
    if ("focus" in answer) setFocus(answer.focus);
    if (deed.do === "secret" && answer.ok) stage.focus();
  }

  async function choose(list) {
    const value = await askChoice(list.name, list.options);
    if (value !== null) waiting.unshift({ do: "choose", id: list.id, value });
  }

  async function fill(field) {
    const value = await askValue(field);
    if (value !== null) waiting.unshift({ do: "fill", id: field.id, value });
  }

  /** What has the focus in the page: a box to type into it, its own where it takes a secret. */
  function setFocus(spot) {
    focus = spot;
    const writable = on && spot !== null && (spot.editable || spot.secret);
    picture.place(byId("focus-box"), writable ? spot.box : null);
    byId("typing").hidden = !writable;
    if (!writable) return;
    const name = cut(spot.name || spot.role, 60), input = byId("text");
    byId("typing-label").textContent = spot.secret ? `Type into ${name} (kept secret)` : `Type into ${name}`;
    const kind = spot.secret ? "password" : "text";
    if (input.type !== kind) { input.value = ""; input.type = kind; }
  }

  function flush() {
    clearTimeout(bufferTimer);
    if (buffer) send({ do: "type", text: buffer });
    buffer = "";
  }

  function type(text) {
    buffer += text;
    clearTimeout(bufferTimer);
    bufferTimer = setTimeout(flush, BURST_MS);
  }

  // --- keys ---

  function chord(event) {
    const parts = [["ctrlKey", "Control"], ["metaKey", "ControlOrMeta"], ["altKey", "Alt"], ["shiftKey", "Shift"]];
    const modifiers = parts.filter(([flag]) => event[flag]).map(([, name]) => name);
    const last = event.key === " " ? "Space" : event.key;
    return [...(last.length === 1 && event.shiftKey ? modifiers.filter((one) => one !== "Shift") : modifiers), last].join("+");
  }

  stage.addEventListener("keydown", (event) => {
    if (!on || event.target !== stage || event.isComposing) return;
    if (event.key === "F6") { event.preventDefault(); byId("take").focus(); return; }
    const commands = (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");
    if (commands && event.key.toLowerCase() === "v") return; // a paste follows
    if (!commands && event.key.length === 1) {
      if (focus?.secret) { byId("text").focus(); return; } // and the key goes there
      event.preventDefault();
      type(event.key);
      return;
    }
    if (!NAMED.test(event.key) && !(commands && event.key.length === 1)) return;
    event.preventDefault();
    flush();
    send({ do: "key", key: chord(event) });
  });

  stage.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!on || !text) return;
    event.preventDefault();
    if (focus?.secret) { byId("text").value = text; byId("text").focus(); return; }
    flush();
    send({ do: "type", text });
  });

  byId("typing").addEventListener("submit", (event) => {
    event.preventDefault();
    const input = byId("text"), text = input.value;
    input.value = "";
    flush();
    if (focus?.secret) send({ do: "secret", text });
    else if (text) send({ do: "type", text });
    else send({ do: "key", key: "Enter" });
  });

  // --- the pointer ---

  stage.addEventListener("pointerdown", (event) => {
    const at = on && event.button === 0 ? picture.point(event) : null;
    if (!at) return;
    stage.focus({ preventScroll: true });
    pressed = { at, x: event.clientX, y: event.clientY, last: event.clientY, id: event.pointerId, touch: event.pointerType !== "mouse", moved: false };
    if (!pressed.touch) stage.setPointerCapture(event.pointerId);
  });

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
    flush();
    if (moved && to) send({ do: "drag", ...at, to_x: to.x, to_y: to.y });
    else if (!moved) click(at);
  });

  /** One click, or two in one place where the second comes soon. */
  function click(at) {
    picture.ring(at);
    if (clickTimer) {
      clearTimeout(clickTimer);
      clickTimer = 0;
      send({ do: "click", ...at, count: 2 });
      return;
    }
    clickTimer = setTimeout(() => { clickTimer = 0; send({ do: "click", ...at }); }, DOUBLE_MS);
  }

  stage.addEventListener("wheel", (event) => {
    const at = on ? picture.point(event) : null;
    if (!at || event.ctrlKey || picture.isActual) return;
    event.preventDefault();
    const unit = [1, 16, 400][event.deltaMode] ?? 1;
    turn(at, event.deltaY * unit);
  }, { passive: false });

  function turn(at, by) {
    wheel = { at, by: (wheel?.by ?? 0) + by };
    if (wheelTimer) return;
    wheelTimer = setTimeout(() => {
      const { at: place, by: sum } = wheel;
      wheel = null;
      wheelTimer = 0;
      if (Math.abs(sum) >= 1) send({ do: "wheel", ...place, by: Math.round(sum) });
    }, WHEEL_MS);
  }

  stage.addEventListener("contextmenu", (event) => { if (on) event.preventDefault(); });

  /** Mouse and keyboard go to the page, or do not. */
  function set(now) {
    if (on === now) return;
    on = now;
    stage.classList.toggle("taken", on);
    if (on) {
      stage.tabIndex = 0;
      stage.setAttribute("role", "application");
      stage.setAttribute("aria-label", "The page: keys go to it; F6 leaves it");
      stage.focus({ preventScroll: true });
      say("Mouse and keyboard go to the page. F6 leaves the picture.");
    } else {
      stage.removeAttribute("tabindex");
      stage.removeAttribute("role");
      stage.removeAttribute("aria-label");
      waiting.length = 0;
      buffer = "";
      byId("text").value = "";
    }
    setFocus(null);
  }

  return { set, send, flush };
})();
