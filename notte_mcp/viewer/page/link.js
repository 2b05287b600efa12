// The line to the server: what happens comes as one long answer of JSON lines, acts go one after the other.
// The key stands behind # in the address and never leaves the browser but as a header; the token to act is in memory only.

const link = (() => {
  const session = location.pathname.slice(1);
  const [key = "", code = ""] = location.hash.slice(1).split(".");
  const view = crypto.randomUUID?.() ?? String(Math.random());
  // A code is used once: it must not stay where others read it.
  if (code) history.replaceState(null, "", `${location.pathname}#${key}`);
  let token = "", over = false;

  const RETRY_MS = [300, 700, 1500, 3000, 5000];
  const SILENT_MS = 12000;

  function headers(bearer) {
    return { authorization: `Bearer ${bearer}`, "x-notte-view": view };
  }

  /** Follow the session until it is over; `onMessage` gets each message, `onState` (state, words) how the line stands. */
  async function follow(onMessage, onState) {
    for (let tries = 0; !over; ) {
      const refused = await once(onMessage, () => { tries = 0; onState("live", "Live"); });
      if (over) break;
      if (refused && refused.status !== 503) {
        onState("refused", `${refused.message} ${refused.next}`);
        return;
      }
      onState("lost", refused ? refused.message : "Connection lost, trying again");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]));
    }
    onState("over", "Ended");
  }

  async function once(onMessage, onOpen) {
    const cutter = new AbortController();
    let watch = setTimeout(() => cutter.abort(), SILENT_MS);
    const heard = () => { clearTimeout(watch); watch = setTimeout(() => cutter.abort(), SILENT_MS); };
    try {
      const answer = await fetch(`/api/${session}/stream`, { headers: headers(key), cache: "no-store", signal: cutter.signal });
      if (!answer.ok) return await refusal(answer);
      onOpen();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return null;
        heard();
        const parts = (rest + value).split("\n");
        rest = parts.pop();
        for (const part of parts) {
          const message = JSON.parse(part);
          if ("end" in message) over = true;
          onMessage(message);
        }
      }
    } catch {
      return null;
    } finally {
      clearTimeout(watch);
    }
  }

  async function refusal(answer) {
    const said = await answer.json().catch(() => ({}));
    return { status: answer.status, message: said.message ?? "The server refused.", next: said.next ?? "" };
  }

  async function post(path, body, bearer) {
    const options = { method: "POST", headers: { ...headers(bearer), "content-type": "application/json" }, body: JSON.stringify(body) };
    try {
      const answer = await fetch(`/api/${session}/${path}`, options);
      return answer.ok ? await answer.json() : { ok: false, ...(await refusal(answer)) };
    } catch {
      return { ok: false, status: 0, message: "The server does not answer; whether that was done is unknown." };
    }
  }

  return {
    session, code, follow,
    get mayAct() { return token !== ""; },
    /** Exchange a code for the right to act; "" where it was right, else why not. */
    async admit(given) {
      const answer = await post("control", { code: given }, key);
      token = answer.token ?? "";
      return token ? "" : answer.message;
    },
    async act(deed) {
      const answer = await post("act", deed, token);
      if (answer.status === 401 || answer.status === 403) token = "";
      return answer;
    },
    replay: () => post("replay", {}, key),
  };
})();
