// The labels of an item, and finding one among many by typing.

import { element, percent } from "./page.js";

const DIGITS = "1234567890";
const UNSURE = 0.5; // a proposal below it must not look like one that Enter can be trusted with

export class Labels {
  /** @param choose Called with the name of a label that was chosen. */
  constructor(choose) {
    this.choose = choose;
    this.buttons = [...document.querySelectorAll("#labels button")];
    this.names = this.buttons.map((button) => button.dataset.label);
    this.filter = element("filter");
    this.byDigit = this.buttons.slice(0, DIGITS.length);
    for (const button of this.buttons) {
      button.addEventListener("click", () => choose(button.dataset.label));
    }
    if (this.filter) this.listen();
  }

  /** Show what is proposed for an item, and which label is chosen already. */
  show(shown, chosen) {
    const probabilities = new Map(shown.proposal.map((each) => [each.label, each.probability]));
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
    this.close();
  }

  // -- typing ---------------------------------------------------------------------------------

  open(letter = "") {
    this.filter.value = letter;
    this.filter.focus();
    this.find();
  }

  close() {
    this.filter.value = "";
    this.found = [];
    this.showFound();
  }

  listen() {
    this.list = element("found");
    this.found = [];
    this.active = 0;
    this.filter.addEventListener("input", () => this.find());
    this.filter.addEventListener("focus", () => this.find());
    this.filter.addEventListener("blur", () => this.close());
    this.filter.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // or the field loses the focus before the choice counts
      const option = event.target.closest("[role=option]");
      if (option) this.take(option.dataset.label);
    });
  }

  onKey(event) {
    if (event.isComposing) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps && this.found.length) {
      this.active = (this.active + steps[event.key] + this.found.length) % this.found.length;
      this.showFound();
    } else if (event.key === "Enter" && this.found.length) this.take(this.found[this.active]);
    else if (event.key === "Escape") this.filter.blur();
    else return;
    event.preventDefault();
  }

  take(label) {
    this.filter.blur();
    this.choose(label);
  }

  find() {
    this.found = matches(this.names, this.filter.value);
    this.active = 0;
    this.showFound();
  }

  showFound() {
    this.list.hidden = !this.found.length;
    this.filter.setAttribute("aria-expanded", String(this.found.length > 0));
    this.list.replaceChildren(...this.found.map((label, place) => this.option(label, place)));
    const active = this.list.children[this.active];
    if (active) this.filter.setAttribute("aria-activedescendant", active.id);
    else this.filter.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }

  option(label, place) {
    const option = document.createElement("li");
    option.id = `found-${place}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", String(place === this.active));
    option.dir = "auto";
    option.dataset.label = label;
    option.textContent = label;
    return option;
  }
}

/**
 * Find labels by what was typed: those whose words begin with it first, then those that hold it,
 * then those that hold its letters in order. Within each the labels keep their order.
 */
export function matches(names, typed) {
  const wanted = plain(typed).trim();
  if (!wanted) return names;
  const ranked = names.map((name) => [rank(plain(name), wanted), name]);
  return [0, 1, 2, 3].flatMap((level) =>
    ranked.filter(([own]) => own === level).map(([, name]) => name),
  );
}

function rank(name, wanted) {
  if (name.startsWith(wanted)) return 0;
  if (name.includes(` ${wanted}`)) return 1;
  if (name.includes(wanted)) return 2;
  let place = -1;
  const inOrder = [...wanted].every((letter) => (place = name.indexOf(letter, place + 1)) >= 0);
  return inOrder ? 3 : 4;
}

/** Set aside case, accents and the signs between words. */
function plain(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[_\-/.]+/g, " ");
}
