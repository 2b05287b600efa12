// The app's side of MCP Apps (2026-01-26): JSON-RPC over postMessage with the host whose frame this page stands in.
"use strict";

const host = (() => {
  const waiting = new Map(), listeners = new Map();
  let count = 0;

  function send(message) {
    // The host's origin is not known before it answers, and nothing secret is sent.
    parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  /** Ask the host; rejects with its error, or after 30 s of silence. */
  function request(method, params = {}) {
    const id = ++count;
    send({ id, method, params });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { waiting.delete(id); reject(new Error("The host did not answer.")); }, 30000);
      waiting.set(id, { resolve, reject, timer });
    });
  }

  function notify(method, params = {}) {
    send({ method, params });
  }

  /** What to do at a request or notification of the host; what is given back is the answer. */
  function on(method, listener) {
    listeners.set(method, listener);
  }

  function settle({ id, result, error }) {
    const asked = waiting.get(id);
    if (!asked) return;
    waiting.delete(id);
    clearTimeout(asked.timer);
    if (error) asked.reject(new Error(error.message || "The host refused."));
    else asked.resolve(result);
  }

  addEventListener("message", (event) => {
    const message = event.data;
    if (event.source !== parent || message?.jsonrpc !== "2.0") return;
    if (!message.method) return settle(message);
    const listener = listeners.get(message.method);
    const answer = listener?.(message.params ?? {});
    if (message.id === undefined) return;
    if (listener) send({ id: message.id, result: answer ?? {} });
    else send({ id: message.id, error: { code: -32601, message: `no ${message.method} here` } });
  });

  return { request, notify, on };
})();
