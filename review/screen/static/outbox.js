// Answers wait in the browser's storage until the server says that they are safe.

import { Unreachable, post, reviewer, workspace } from "./api.js";
import { forget, namesOf, store, stored } from "./storage.js";
import { valueOf } from "./values.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;
const MOST_AT_ONCE = 100;

/** Make a key that no other answer has; its beginning keeps keys in the order of time. */
export function newKey() {
  const random = crypto.getRandomValues(new Uint32Array(2));
  lastTime = Math.max(Date.now(), lastTime + 1);
  return [lastTime, ...random].map((part) => part.toString(36).padStart(7, "0")).join("-");
}

let lastTime = 0;

export class Outbox {
  /**
   * @param path Where answers are sent.
   * @param changed Called with a state whenever something was sent or could not be.
   * @param arrived Called with what the server says.
   */
  constructor(path, changed, arrived) {
    this.path = path;
    this.prefix = `hilt:${workspace}:${reviewer}:${path}:`;
    this.changed = changed;
    this.arrived = arrived;
    this.pause = FIRST_PAUSE_MS;
    this.sending = null;
    this.timer = null;
    this.refused = [];
    addEventListener("online", () => this.flush());
  }

  add(answer) {
    store(this.prefix + answer.key, JSON.stringify(answer));
    this.flush();
  }

  /** List what waits, oldest first. */
  waiting() {
    return namesOf(this.prefix).map((name) => withValue(JSON.parse(stored(name))));
  }

  /** Send all that waits; resolves once nothing waits, or the server cannot be reached. */
  flush() {
    this.sending ??= this.send().finally(() => (this.sending = null));
    return this.sending;
  }

  async send() {
    clearTimeout(this.timer);
    for (;;) {
      const answers = this.waiting().slice(0, MOST_AT_ONCE);
      this.changed({ waiting: answers.length, offline: false, refused: this.refused });
      if (!answers.length) return true;
      try {
        this.accept(await post(this.path, { answers }));
      } catch (error) {
        if (!(error instanceof Unreachable)) console.error(error);
        this.retry();
        return false;
      }
    }
  }

  accept(said) {
    for (const receipt of said.receipts) {
      if (receipt.refused) this.refused.push(receipt.refused);
      forget(this.prefix + receipt.key);
    }
    this.pause = FIRST_PAUSE_MS;
    this.arrived(said);
  }

  retry() {
    this.changed({ waiting: this.waiting().length, offline: true, refused: this.refused });
    // At random, so that not everybody is back in the same moment as the server.
    this.timer = setTimeout(() => this.flush(), this.pause * (0.5 + Math.random() / 2));
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
  }
}

/** Read an answer that a page of an older hilt kept, which named one label. */
const withValue = ({ label, ...answer }) => (label ? { ...answer, value: valueOf(label) } : answer);
