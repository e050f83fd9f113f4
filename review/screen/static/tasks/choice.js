// The part of the page where one of the labels is chosen; one among many is found by typing.

import { matches, plain } from "../matches.js";
import { breakable, element, percent } from "../page.js";
import { valueOf } from "../values.js";

const DIGITS = "1234567890";
const UNSURE = 0.5; // a proposal below it must not look like one that Enter can be trusted with

const FILTER_KEYS = {
  filter: {
    keys: ["/"],
    shown: ["a letter", "/"],
    says: "Find a label by its name or description; Enter takes the first match",
  },
};
const DIGIT_KEYS = {
  digit: { keys: [], shown: ["1", "…", "9", "0"], says: "Choose a label and continue" },
};
const ESCAPED = "Now F flags, C comments, U undoes, H shows the guidelines";

export class Part {
  /**
   * @param answer Called with an answer that is complete; then the next item is shown.
   * @param changed Called when what `value` gives has changed; here that is only so by `show`.
   */
  constructor({ answer }) {
    this.choose = (label) => answer(valueOf(label));
    this.chosen = null;
    this.buttons = [...document.querySelectorAll("#labels button")];
    this.labels = this.buttons.map(({ dataset, title }) => ({
      name: dataset.label,
      description: plain(title) === plain(dataset.label) ? "" : title,
    }));
    this.filter = element("filter");
    this.byDigit = this.buttons.slice(0, DIGITS.length);
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.choose(button.dataset.label));
    }
    if (this.filter) this.listen();
    this.keys = this.filter ? { ...FILTER_KEYS, ...DIGIT_KEYS } : DIGIT_KEYS;
    this.letters = Boolean(this.filter); // whether a letter alone is its own
  }

  /** What is chosen; null where nothing is. */
  value() {
    return this.chosen;
  }

  /** Show what is proposed for an item, and which label is chosen already; null shows nothing. */
  show(shown) {
    this.chosen = shown?.said ?? shown?.proposed ?? null;
    const chosen = this.chosen?.[0]?.label;
    const proposal = shown?.proposal ?? [];
    const probabilities = new Map(proposal.map((each) => [each.part.label, each.probability]));
    const unsure = !shown?.said && (probabilities.get(chosen) ?? 1) < UNSURE;
    for (const button of this.buttons) {
      const probability = probabilities.get(button.dataset.label);
      button.setAttribute("aria-pressed", String(button.dataset.label === chosen));
      button.classList.toggle("unsure", unsure && button.dataset.label === chosen);
      button.querySelector(".probability").textContent =
        probability === undefined ? "" : percent(probability);
    }
    if (this.filter) this.showCandidates(probabilities, chosen);
  }

  /** Do what a key of `keys` says. */
  act() {
    this.open();
  }

  /** Take a key that is nobody else's; false where it means nothing here either. */
  onKey(key) {
    const button = this.byDigit[DIGITS.indexOf(key)];
    if (button) this.choose(button.dataset.label);
    else if (this.filter && [...key].length === 1) this.open(key);
    else return false;
    return true;
  }

  /** A text has begun of which the first key does not tell the letter: it arrives in the field. */
  onComposing() {
    if (this.filter) this.open();
  }

  onEscape(waits) {
    if (!this.filter) return;
    this.filter.placeholder = waits ? ESCAPED : this.filter.dataset.placeholder;
  }

  /** Of many labels only the candidates have digits; without any, all are listed. */
  showCandidates(probabilities, chosen) {
    const isNear = (button) =>
      probabilities.has(button.dataset.label) || button.dataset.label === chosen;
    const near = this.buttons.filter(isNear);
    const listed = near.length ? near : this.buttons;
    this.byDigit = near.length ? near.slice(0, DIGITS.length) : [];
    for (const button of this.buttons) {
      button.hidden = !listed.includes(button);
      button.querySelector("kbd").textContent = DIGITS[this.byDigit.indexOf(button)] ?? "";
    }
    element("labels").scrollTop = 0;
    this.close();
  }

  // -- typing ---------------------------------------------------------------------------------

  open(letter = "") {
    this.filter.focus();
    this.filter.value = letter;
    this.find();
  }

  close() {
    this.filter.value = "";
    this.found = null;
    this.showFound();
  }

  listen() {
    this.list = element("found");
    this.filter.addEventListener("input", () => this.find());
    this.filter.addEventListener("focus", () => this.find());
    this.filter.addEventListener("blur", () => this.close());
    this.filter.addEventListener("keydown", (event) => this.onTyped(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(option.dataset.label);
    });
  }

  onTyped(event) {
    if (event.isComposing) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key === "Enter") this.take(this.found?.[this.active]?.name);
    else if (event.key === "Escape") this.filter.blur();
    else return;
    event.preventDefault();
  }

  move(step) {
    const count = this.found?.length;
    if (!count) return;
    this.active = this.active < 0 && step < 0 ? count - 1 : (this.active + step + count) % count;
    this.showFound();
  }

  take(label) {
    if (label === undefined) return;
    this.filter.blur();
    this.choose(label);
  }

  find() {
    this.found = matches(this.labels, this.filter.value);
    this.active = this.filter.value.trim() ? 0 : -1; // with nothing typed Enter chooses nothing
    this.showFound();
  }

  showFound() {
    const found = this.found ?? [];
    const typed = this.filter.value.trim();
    document.body.classList.toggle("finding", this.found !== null);
    this.list.hidden = !found.length;
    this.filter.setAttribute("aria-expanded", String(found.length > 0));
    this.list.replaceChildren(...found.map((label, place) => this.option(label, place)));
    element("found-none").textContent =
      typed && !found.length ? `No label, and no description, matches “${typed}”.` : "";
    const active = this.list.children[this.active];
    if (active) this.filter.setAttribute("aria-activedescendant", active.id);
    else this.filter.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }

  option({ name, description }, place) {
    const option = document.createElement("li");
    option.id = `found-${place}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(place === this.active));
    option.dataset.label = name;
    option.append(part("name", name));
    if (description) option.append(" ", part("soft", description));
    return option;
  }
}

function part(kind, text) {
  const span = document.createElement("span");
  span.className = kind;
  span.dir = "auto";
  span.append(...(kind === "name" ? breakable(text) : [text]));
  return span;
}

/** Choosing another answer than those that reviewers gave. */
export class Other {
  constructor(choose) {
    this.select = element("other");
    this.select.addEventListener("change", () => {
      if (this.select.value) choose(valueOf(this.select.value));
    });
  }

  clear() {
    this.select.value = "";
  }
}
