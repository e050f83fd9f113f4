// The labels of an item, and finding one among many by typing.

import { matches, plain } from "./matches.js";
import { breakable, element, percent } from "./page.js";

const DIGITS = "1234567890";
const UNSURE = 0.5; // a proposal below it must not look like one that Enter can be trusted with

export class Labels {
  /** @param choose Called with the name of a label that was chosen. */
  constructor(choose) {
    this.choose = choose;
    this.buttons = [...document.querySelectorAll("#labels button")];
    this.labels = this.buttons.map(({ dataset, title }) => ({
      name: dataset.label,
      description: plain(title) === plain(dataset.label) ? "" : title,
    }));
    this.filter = element("filter");
    this.byDigit = this.buttons.slice(0, DIGITS.length);
    for (const button of this.buttons) {
      button.addEventListener("click", () => choose(button.dataset.label));
    }
    if (this.filter) this.listen();
  }

  /** Show what is proposed for an item, and which label is chosen already. */
  show(shown, chosen) {
    const probabilities = new Map(shown.proposal.map((each) => [each.part.label, each.probability]));
    const unsure = !shown.said && (probabilities.get(chosen) ?? 1) < UNSURE;
    for (const button of this.buttons) {
      const probability = probabilities.get(button.dataset.label);
      button.setAttribute("aria-pressed", String(button.dataset.label === chosen));
      button.classList.toggle("unsure", unsure && button.dataset.label === chosen);
      button.querySelector(".probability").textContent =
        probability === undefined ? "" : percent(probability);
    }
    if (this.filter) this.showCandidates(probabilities, chosen);
  }

  /** Find the label of a digit; undefined when there is none. */
  ofDigit(digit) {
    const place = DIGITS.indexOf(digit);
    return place < 0 ? undefined : this.byDigit[place]?.dataset.label;
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
    this.filter.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(option.dataset.label);
    });
  }

  onKey(event) {
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
