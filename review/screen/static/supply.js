// The items in hand: the one that is shown, and the next ones, fetched before they are needed.

import { Unreachable, post, release } from "./api.js";

const LEAST = 10; // so many are there beside the one that is shown, as long as there are any
const MOST = 16;
const POLL_MS = 2000;
const RENEW_MS = 60000;

export class Supply {
  /**
   * @param outbox Is emptied first, so that the server knows what was decided and taken back.
   * @param arrived Called with what the server says.
   */
  constructor(outbox, arrived) {
    this.items = [];
    this.outbox = outbox;
    this.arrived = arrived;
    this.filling = null;
    this.timer = null;
    this.asked = false;
    this.summary = null; // what was done, when there is nothing in hand
    addEventListener("pagehide", () => release(this.items.map((each) => each.item)));
    addEventListener("pageshow", (event) => event.persisted && this.fill());
  }

  get current() {
    return this.items[0];
  }

  /** Put the current item away. */
  advance() {
    this.items.shift();
  }

  /** Fetch more when few are left. */
  replenish() {
    if (this.items.length <= LEAST) this.fill();
  }

  putBack(shown) {
    this.items.unshift(shown);
  }

  fill() {
    this.filling ??= this.ask().finally(() => (this.filling = null));
    return this.filling;
  }

  async ask() {
    clearTimeout(this.timer);
    try {
      if (await this.outbox.flush()) await this.fetch();
    } catch (error) {
      if (!(error instanceof Unreachable)) console.error(error);
    }
    const soon = this.items.length <= 1 || !this.asked;
    this.timer = setTimeout(() => this.renew(), soon ? POLL_MS : RENEW_MS);
  }

  async fetch() {
    const holding = this.items.map((each) => each.item);
    const said = await post("/api/items", { holding, count: MOST });
    const lost = new Set(holding.filter((item) => !said.kept.includes(item)));
    lost.delete(this.current?.item); // somebody is reading it
    const there = new Set(this.items.map((each) => each.item));
    this.items = this.items.filter((each) => !lost.has(each.item));
    this.items.push(...said.items.filter((each) => !there.has(each.item)));
    this.summary = this.items.length ? null : said.summary;
    this.asked = true;
    this.arrived(said);
  }

  renew() {
    if (document.hidden && this.items.length) this.timer = setTimeout(() => this.renew(), RENEW_MS);
    else this.fill();
  }
}
