// Comments that were begun, kept in the browser until they are sent with an answer.

import { reviewer, workspace } from "./api.js";
import { forget, store, stored } from "./storage.js";

const name = (item) => `hilt:${workspace}:${reviewer}:comment:${item}`;

/** Find what was begun about an item; null when nothing was. */
export const draftOf = (item) => stored(name(item));

/** Keep what is written about an item, for when the page comes back to it. */
export const keepDraft = (item, text) => store(name(item), text);

/** Forget it: it was sent. */
export const dropDraft = (item) => forget(name(item));
