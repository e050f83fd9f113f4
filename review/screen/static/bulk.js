// Many items of one proposed label at once: take out the odd ones, accept the rest.

import { Unreachable, post, release } from "./api.js";
import { watchPage } from "./clock.js";
import { describe, listen } from "./keys.js";
import { Outbox, newKey } from "./outbox.js";
import { element, notice, openDialog, percent, showSaved, showStanding, showText } from "./page.js";

const CARD_KEYS = "abdegijklmnopqrstvwy"; // no letter that means something else
const FEW = 6; // cards that have room for more of their text
const POLL_MS = 3000;
const KEYS = {
  accept: { keys: ["Enter"], says: "Accept the label for all that are chosen" },
  card: { keys: [], shown: ["a", "…", "y"], says: "Take an item out, or put it back" },
  toggle: { keys: ["x"], says: "Take out the item that has the focus, or put it back" },
  forward: { keys: ["ArrowRight", "ArrowDown"], shown: ["→"], says: "Go to the next item" },
  back: { keys: ["ArrowLeft", "ArrowUp"], shown: ["←"], says: "Go to the item before" },
  next: { keys: [" "], shown: ["space"], says: "Another group" },
  undo: {
    keys: ["Backspace", "u", "Ctrl+Z"],
    shown: ["⌫", "u", "Ctrl+Z"],
    says: "Take back the last group",
  },
  guidelines: { keys: ["h"], says: "Guidelines" },
  keys: { keys: ["?"], says: "These keys" },
};

const clock = watchPage();
const outbox = new Outbox("/api/answers", showSaved, ({ standing }) => showStanding(standing));
const history = [];
const skipped = [];
let group = null;
let out = new Set();
let timer;
let turn = 0; // of loading; what comes in after something else was shown is let go

async function load() {
  const mine = ++turn;
  clearTimeout(timer);
  let found = null;
  try {
    if (await outbox.flush()) {
      const said = await post("/api/group", { skipped });
      showStanding(said.standing);
      found = said.group;
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) console.error(error);
  }
  if (mine !== turn) return release((found?.items ?? []).map(({ item }) => item));
  show(found);
  if (!found) timer = setTimeout(load, POLL_MS);
}

function show(found) {
  group = found;
  out = new Set();
  element("group").textContent = group ? group.label : "";
  if (group) notice("");
  else if (outbox.waiting().length) notice("Waiting for the connection. What you said is kept here.");
  else notice("No group waits for you. What is left is better decided one by one.");
  element("cards").replaceChildren(...(group?.items ?? []).map(card));
  element("cards").classList.toggle("few", (group?.items.length ?? 0) <= FEW);
  document.querySelector('[data-act="accept"]').disabled = !group;
  showChosen();
  clock.reset(performance.now());
  if (group) element("group").focus({ preventScroll: true });
}

function card(shown, place) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const key = document.createElement("kbd");
  key.textContent = CARD_KEYS[place];
  const text = document.createElement("div");
  text.className = "text";
  showText(text, shown.text);
  const probability = document.createElement("span");
  probability.className = "probability";
  probability.textContent = percent(shown.proposal[0].probability);
  button.append(key, probability, text);
  button.addEventListener("click", () => toggle(place));
  item.append(button);
  return item;
}

function toggle(place) {
  if (!group || place < 0 || place >= group.items.length) return;
  if (!out.delete(place)) out.add(place);
  showChosen();
}

function showChosen() {
  const buttons = element("cards").querySelectorAll("button");
  buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(!out.has(place))));
  const chosen = (group?.items.length ?? 0) - out.size;
  document.querySelector('[data-act="accept"] span').textContent = group
    ? `Accept ${chosen} as ${group.label}`
    : "Accept";
}

function accept() {
  if (!group) return;
  const chosen = group.items.filter((_, place) => !out.has(place));
  const seconds = clock.seconds(performance.now()) / Math.max(1, chosen.length);
  const answers = chosen.map(({ item }) => ({
    ...{ key: newKey(), item, act: "label", label: group.label },
    ...{ seconds: Math.round(100 * seconds) / 100, bulk: true },
  }));
  history.push({ group, answers });
  for (const answer of answers) outbox.add(answer);
  release(group.items.filter((_, place) => out.has(place)).map(({ item }) => item));
  skipped.push(group.items[0].item); // what was taken out of it is decided one by one
  show(null);
  notice("");
  load();
}

const leave = () => release(group ? group.items.map(({ item }) => item) : []);

function undo() {
  const last = history.pop();
  if (!last) return notice("There is no group to take back.");
  for (const { key, item } of last.answers) {
    outbox.add({ key: newKey(), item, act: "undo", withdraws: key });
  }
  skipped.pop();
  turn += 1;
  clearTimeout(timer);
  show(last.group);
}

function move(step) {
  const buttons = [...element("cards").querySelectorAll("button")];
  const place = buttons.indexOf(document.activeElement);
  buttons.at((place + step) % buttons.length)?.focus();
}

const ACTS = {
  accept,
  undo,
  toggle: () => {
    const buttons = [...element("cards").querySelectorAll("button")];
    toggle(buttons.indexOf(document.activeElement));
  },
  forward: () => move(1),
  back: () => move(-1),
  next: () => {
    if (group) {
      skipped.push(group.items[0].item);
      leave();
    } else skipped.length = 0;
    load();
  },
  guidelines: () => openDialog("guidelines"),
  keys: () => openDialog("keys"),
};

addEventListener("pagehide", leave);
describe(KEYS);
listen(
  KEYS,
  (name) => ACTS[name](),
  (key) => {
    const place = CARD_KEYS.indexOf(key);
    if (place >= 0) toggle(place);
    return place >= 0;
  },
);
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => ACTS[button.dataset.act]());
}
load();
