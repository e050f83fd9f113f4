// Comments that were begun, kept in the browser until they are sent with an answer.

import { reviewer, workspace } from "./api.js";

const name = (item) => `hilt:${workspace}:${reviewer}:comment:${item}`;
const kept = new Map(); // where the browser gives no storage, or it is full

/** Find what was begun about an item; undefined when nothing was. */
export function draftOf(item) {
  return localStorage.getItem(name(item)) ?? kept.get(item);
}

/** Keep what is written about an item, for when the page comes back to it. */
export function keepDraft(item, text) {
  try {
    localStorage.setItem(name(item), text);
  } catch {
    kept.set(item, text);
  }
}

/** Forget it: it was sent. */
export function dropDraft(item) {
  localStorage.removeItem(name(item));
  kept.delete(item);
}
