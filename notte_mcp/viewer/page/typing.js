// What is typed: a hidden field on the picture takes it as a browser gives it (dead keys, input methods, emoji, pastes,
// drops, keyboards on glass), and a box below the picture takes what goes to one field whole: a secret above all.
//
// What stands in the box is its field's: it is sent there before anything else is done, and leaves with the field.

const typing = (() => {
  const keys = byId("keys"), box = byId("text"), { stage } = picture;
  const BURST_MS = 300;
  const NAMED = /^(Enter|Tab|Backspace|Delete|Escape|Arrow(Left|Right|Up|Down)|Home|End|PageUp|PageDown|Insert|F([1-5]|[7-9]|1[0-2]))$/;
  const MEANT = { deleteContentBackward: "Backspace", deleteContentForward: "Delete", insertLineBreak: "Enter", insertParagraph: "Enter" };
  const OPTION_WRITES = /^(Mac|iP)/.test(navigator.platform);
  let on = false, field = null, led = false, composing = false, buffer = "", timer = 0;

  // --- on the picture ---

  /** What stands in the hidden field is no longer there, and is typed. */
  function gather() {
    if (composing) return;
    const text = keys.value;
    keys.value = "";
    if (text) typed(text);
  }

  function typed(text) {
    buffer += text;
    clearTimeout(timer);
    if (field?.secret && hand.isIdle) lead(drained());
    else timer = setTimeout(flush, BURST_MS);
  }

  function drained() {
    clearTimeout(timer);
    const text = buffer;
    buffer = "";
    return text;
  }

  /** Send what was typed on the picture so far. */
  function flush() {
    gather();
    const text = drained();
    if (text) hand.type(text);
  }

  /** What was typed on the picture is for the box, and so is what follows. */
  function lead(text) {
    led = true;
    box.setRangeText(text, box.selectionStart ?? box.value.length, box.selectionEnd ?? box.value.length, "end");
    box.focus({ preventScroll: true });
  }

  function chord(event) {
    const parts = [["ctrlKey", "Control"], ["metaKey", "ControlOrMeta"], ["altKey", "Alt"], ["shiftKey", "Shift"]];
    const modifiers = parts.filter(([flag]) => event[flag]).map(([, name]) => name);
    const last = event.key === " " ? "Space" : event.key;
    return [...(last.length === 1 && event.shiftKey ? modifiers.filter((one) => one !== "Shift") : modifiers), last].join("+");
  }

  /** Whether the keys held down make it a command, and not a character. */
  function commands(event) {
    if (event.getModifierState("AltGraph")) return false;
    return event.ctrlKey || event.metaKey || (event.altKey && !OPTION_WRITES);
  }

  keys.addEventListener("keydown", (event) => {
    if (!on || event.isComposing || event.keyCode === 229) return;
    if (leaves(event)) return;
    const meant = commands(event);
    if (meant && event.key.toLowerCase() === "v") return; // a paste follows, as input
    if (!NAMED.test(event.key) && !(meant && event.key.length === 1)) return; // what it writes follows, as input
    event.preventDefault();
    hand.send({ do: "key", key: chord(event) });
  });

  keys.addEventListener("beforeinput", (event) => {
    const key = MEANT[event.inputType];
    if (!key || event.isComposing) return;
    event.preventDefault(); // of a keyboard on glass, whose keys have no names
    hand.send({ do: "key", key });
  });

  keys.addEventListener("compositionstart", () => { composing = true; });
  keys.addEventListener("compositionend", () => { composing = false; gather(); });
  keys.addEventListener("input", (event) => { if (!event.isComposing) gather(); });

  stage.addEventListener("dragover", (event) => { if (on) event.preventDefault(); });
  stage.addEventListener("drop", (event) => {
    if (!on) return;
    event.preventDefault();
    const text = event.dataTransfer?.getData("text") ?? "";
    if (text) { typed(text); flush(); } else say("Only text can be dropped here.");
  });

  function leaves(event) {
    if (event.key !== "F6") return false;
    event.preventDefault();
    byId("take").focus();
    return true;
  }

  // --- in the box ---

  box.addEventListener("keydown", (event) => {
    if (!on || event.isComposing || leaves(event)) return;
    // Who typed on the picture goes on there.
    if (led && event.key === "Tab") { event.preventDefault(); hand.send({ do: "key", key: chord(event) }); focus(); }
  });

  byId("typing").addEventListener("submit", (event) => {
    event.preventDefault();
    const { id, secret } = field, text = emptied();
    if (secret) hand.send({ do: "secret", id, text });
    else if (text) hand.send({ do: "type", id, text });
    else hand.send({ do: "key", key: "Enter" });
  });

  function emptied() {
    const text = box.value;
    box.value = "";
    led = false;
    return text;
  }

  /** What has to be done before this: what stands in the box goes to its field. Null where there is nothing. */
  function before(deed) {
    if (!box.value || !field || (isFor(deed) && field.secret)) return null;
    return { do: field.secret ? "secret" : "type", id: field.id, text: emptied() };
  }

  const isFor = (deed) => deed.do === "type" && !deed.id;

  /** Whether what was typed on the picture is the box's, as the field that has the focus now takes a secret. */
  function takes(deed) {
    if (!isFor(deed) || !field?.secret) return false;
    lead(deed.text);
    return true;
  }

  /** Nothing is under way: what was typed meanwhile is led where it belongs. */
  function rested() {
    if (!field?.secret || !(buffer || keys.value)) return;
    if (composing) box.focus({ preventScroll: true }); // which ends it, and gathers
    else { buffer += keys.value; keys.value = ""; lead(drained()); }
  }

  /** What has the focus in the page: a box to type into it, its own where it takes a secret. */
  function setField(spot) {
    const next = on && spot !== null && (spot.editable || spot.secret) ? spot : null;
    const other = next?.id !== field?.id || next?.secret !== field?.secret;
    if (other && emptied()) say("The focus is elsewhere now: what stood in the box was not sent.");
    if (other && document.activeElement === box) focus();
    field = next;
    picture.place(byId("focus-box"), field ? field.box : null);
    byId("typing").hidden = !field;
    keys.inputMode = field && !field.secret ? "text" : "none"; // no keyboard over half a phone for a click on a button
    if (!field) return;
    const name = cut(field.name || field.role, 60);
    byId("typing-label").textContent = field.secret ? `Type into ${name} (kept secret)` : `Type into ${name}`;
    box.type = field.secret ? "password" : "text";
  }

  function focus() {
    if (composing) keys.blur(); // which ends it: what is typed comes before what is done next
    keys.focus({ preventScroll: true });
  }

  function set(now) {
    on = now;
    keys.hidden = !on;
    keys.value = "";
    composing = false;
    drained();
    emptied();
    setField(null);
  }

  return { set, setField, flush, before, takes, rested, focus };
})();
