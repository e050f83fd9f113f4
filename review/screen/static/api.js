// Requests to the server, and what can go wrong with them.

const TIMEOUT_MS = 15000;

const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;

export const reviewer = meta("reviewer");
export const workspace = meta("workspace");
export const part = meta("part"); // what of the page is the task's: static/tasks/

/** The server cannot be reached, or cannot answer now: the same request may work later. */
export class Unreachable extends Error {}

export const get = (path) => request(path, { method: "GET" });

/** Tell the server, without waiting, what this page leaves undecided; it may be closing. */
export const release = (items) =>
  items.length ? post("/api/release", { items }, { keepalive: true }).catch(() => {}) : null;

export const post = (path, body, options = {}) =>
  request(path, {
    ...options,
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });

async function request(path, options) {
  const headers = { ...options.headers, "X-CSRF-Token": meta("csrf-token") };
  let response;
  try {
    response = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new Unreachable(String(error));
  }
  if (response.status === 401) location.assign("/login");
  if (response.status >= 500 || response.status === 401) throw new Unreachable(response.statusText);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}
