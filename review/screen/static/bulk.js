// Many items of one proposed label at once: take out the odd ones, accept the rest.

import { Unreachable, post, release } from "./api.js";
import { watchPage } from "./clock.js";
import { showEnd } from "./end.js";
import { describe, listen } from "./keys.js";
import { Outbox, newKey } from "./outbox.js";
import { breakable, element, markClipped, noteAct, notice, openDialog } from "./page.js";
import { percent, showItem, showSaved, showStanding } from "./page.js";

const CARD_KEYS = "abdegijklmnopqrstvwy"; // no letter that means something else
const FEW = 6; // cards that have room for more of their text
const POLL_MS = 3000;
const SLACK = 8; // pixels of an item that may be out of view
const KEYS = {
  accept: {
    keys: ["Enter"],
    says: "Show the items that were not visible yet; then accept the label for all chosen items",
  },
  card: { keys: [], shown: ["a", "…", "y"], says: "Take an item out, or put it back" },
  toggle: { keys: ["x"], says: "Take out the focused item, or put it back" },
  forward: { keys: ["ArrowRight", "ArrowDown"], shown: ["→"], says: "Go to the next item" },
  back: { keys: ["ArrowLeft", "ArrowUp"], shown: ["←"], says: "Go to the previous item" },
  next: { keys: [" "], shown: ["space"], says: "Another group" },
  undo: {
    keys: ["Backspace", "u", "Ctrl+Z"],
    shown: ["⌫", "u", "Ctrl+Z"],
    says: "Undo the last group",
  },
  guidelines: { keys: ["h"], says: "Guidelines" },
  keys: { keys: ["?"], says: "Show these keys" },
};

const clock = watchPage();
const outbox = new Outbox("/api/answers", showSaved, ({ standing }) => showStanding(standing));
const history = [];
const skipped = [];
let group = null;
let out = new Set();
let unseen = new Set(); // places of items that were never in view: they are not accepted
let timer;
let turn = 0; // of loading; what comes in after something else was shown is let go

async function load() {
  const mine = ++turn;
  clearTimeout(timer);
  let said = null;
  try {
    if (await outbox.flush()) {
      said = await post("/api/group", { skipped });
      showStanding(said.standing);
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) console.error(error);
  }
  const found = said?.group ?? null;
  if (mine !== turn) return release((found?.items ?? []).map(({ item }) => item));
  show(found);
  if (found) return;
  timer = setTimeout(load, POLL_MS);
  showNothing(said);
}

/** Say why there is no group: all is done, what is left makes none, or nobody knows. */
function showNothing(said) {
  const waits = outbox.waiting().length > 0;
  const done = said !== null && said.standing.left === 0 && !waits;
  showEnd(done ? said.summary : null, said?.standing);
  if (waits) notice("Waiting for the connection. Your answers are kept here.");
  else if (done || !said) notice("");
  else if (skipped.length) notice("That was the last group. Start again, or decide the rest one by one.");
  else notice("No items near each other have the same proposed label. Decide the rest one by one.");
  document.querySelector('[data-act="next"]').hidden = done || !skipped.length;
}

function show(found) {
  group = found;
  out = new Set();
  document.body.classList.toggle("empty", !group);
  if (group) showEnd(null);
  notice("");
  element("group").replaceChildren(...breakable(group?.name ?? ""));
  element("cards").replaceChildren(...(group?.items ?? []).map(card));
  element("cards").classList.toggle("few", (group?.items.length ?? 0) <= FEW);
  document.querySelector('[data-act="accept"]').hidden = !group;
  document.querySelector('[data-act="next"]').hidden = !group;
  document.querySelector('[data-act="next"] span').textContent = group ? "Another group" : "Start again";
  scrollTo(0, 0);
  cards().forEach((button) => markClipped(button.querySelector(".text")));
  unseen = new Set(cards().keys());
  look();
  clock.reset(performance.now());
  if (group) element("group").focus({ preventScroll: true });
}

const cards = () => [...element("cards").querySelectorAll("button")];

/** Note which items are in view now, above the bar at the bottom. */
function look() {
  const bottom = document.querySelector(".acts").getBoundingClientRect().top;
  cards().forEach((button, place) => {
    const box = button.getBoundingClientRect();
    if (box.bottom - SLACK <= bottom && box.top >= -SLACK) unseen.delete(place);
  });
  showChosen();
}

/** Bring the next items into view that were not yet. */
function showUnseen() {
  const first = cards()[Math.min(...unseen)];
  first.scrollIntoView({ block: "start" });
  look();
  unseen.delete(cards().indexOf(first)); // one that is taller than the window never fits
  showChosen();
}

function card(shown, place) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const key = document.createElement("kbd");
  key.textContent = CARD_KEYS[place];
  const text = document.createElement("div");
  text.className = "text";
  showItem(text, shown.fields);
  const probability = document.createElement("span");
  probability.className = "probability";
  probability.textContent = shown.proposal.length ? percent(shown.proposal[0].probability) : "";
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
  if (!group) return;
  cards().forEach((button, place) => button.setAttribute("aria-pressed", String(!out.has(place))));
  const chosen = group.items.length - out.size;
  const says = unseen.size
    ? `Show ${unseen.size} more of ${group.items.length}`
    : `Accept ${chosen} as ${group.name}`;
  document.querySelector('[data-act="accept"] span').replaceChildren(...breakable(says));
}

function accept() {
  if (!group) return;
  if (unseen.size) return showUnseen();
  const chosen = group.items.filter((_, place) => !out.has(place));
  const seconds = clock.seconds(performance.now()) / Math.max(1, chosen.length);
  const answers = chosen.map(({ item, proposed }) => ({
    ...{ key: newKey(), item, act: "label", value: proposed },
    ...{ seconds: Math.round(100 * seconds) / 100, bulk: true },
  }));
  history.push({ group, answers });
  for (const answer of answers) outbox.add(answer);
  release(group.items.filter((_, place) => out.has(place)).map(({ item }) => item));
  skipped.push(group.items[0].item); // what was taken out of it is decided one by one
  noteAct("");
  show(null);
  load();
}

const leave = () => release(group ? group.items.map(({ item }) => item) : []);

function undo() {
  const last = history.pop();
  if (!last) return notice("There is no group to undo.");
  for (const { key, item } of last.answers) {
    outbox.add({ key: newKey(), item, act: "undo", withdraws: key });
  }
  skipped.pop();
  noteAct("undo");
  turn += 1;
  clearTimeout(timer);
  show(last.group);
}

function move(step) {
  const buttons = cards();
  const place = buttons.indexOf(document.activeElement);
  buttons.at((place + step) % buttons.length)?.focus();
}

const ACTS = {
  accept,
  undo,
  toggle: () => toggle(cards().indexOf(document.activeElement)),
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
addEventListener("scroll", look, { passive: true });
addEventListener("resize", look);
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
