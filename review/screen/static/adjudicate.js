// What reviewers disagree on, side by side: a key says who is right.

import { Unreachable, get, part, post } from "./api.js";
import { watchPage } from "./clock.js";
import { describe, listen } from "./keys.js";
import { Outbox, newKey } from "./outbox.js";
import { breakable, element, noteAct, notice, openDialog } from "./page.js";
import { showItem, showSaved, showStanding, watchClipped } from "./page.js";

const POLL_MS = 5000;
const KEYS = {
  digit: { keys: [], shown: ["1", "…", "9"], says: "Choose this label" },
  next: { keys: [" "], shown: ["space"], says: "Later" },
  undo: {
    keys: ["Backspace", "u", "Ctrl+Z"],
    shown: ["⌫", "u", "Ctrl+Z"],
    says: "Undo the last answer",
  },
  guidelines: { keys: ["h"], says: "Guidelines" },
  keys: { keys: ["?"], says: "Show these keys" },
};

const clock = watchPage();
const outbox = new Outbox("/api/adjudications", showSaved, ({ standing }) => showStanding(standing));
const history = [];
const { Other } = await import(`./tasks/${part}.js`);
const other = new Other(settle);
let disputes = [];
let timer;

async function load() {
  clearTimeout(timer);
  try {
    if (await outbox.flush()) {
      const said = await get("/api/disputes");
      showStanding(said.standing);
      merge(said.disputes);
      element("doubt").textContent = said.doubt;
      element("doubt").hidden = !said.doubt;
    }
  } catch (error) {
    if (!(error instanceof Unreachable)) console.error(error);
  }
  timer = setTimeout(load, POLL_MS);
}

/** Keep the order in which they are looked at; what was settled elsewhere goes. */
function merge(found) {
  const before = disputes[0]?.item;
  const byItem = new Map(found.map((each) => [each.item, each]));
  const kept = disputes.filter((each) => byItem.delete(each.item));
  disputes = [...kept, ...byItem.values()];
  if (disputes[0]?.item !== before || !disputes.length) show();
}

function show() {
  const dispute = disputes[0];
  document.body.classList.toggle("empty", !dispute);
  notice(dispute ? "" : "There are no disagreements.");
  element("about").textContent = dispute ? `${answersTo(dispute).length} different answers` : "";
  showItem(element("text"), dispute?.fields ?? []);
  element("opinions").replaceChildren(...(dispute ? columns(dispute) : []));
  other.clear();
  clock.reset(performance.now());
}

/** List the different answers: each with what it is in words, and its value where it has one. */
function answersTo(dispute) {
  return [...new Map(dispute.opinions.map((opinion) => [opinion.said, opinion])).values()];
}

/** One column for each different answer, with everybody who gave it. */
function columns(dispute) {
  return answersTo(dispute).map(({ said, value }, place) => {
    const column = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    const key = document.createElement("kbd");
    key.textContent = place + 1;
    const name = document.createElement("span");
    name.className = "name";
    name.dir = "auto";
    name.append(...breakable(said));
    button.append(key, name);
    button.disabled = !value;
    button.addEventListener("click", () => settle(value));
    const people = dispute.opinions.filter((opinion) => opinion.said === said);
    column.append(button, ...people.map(opinionLine));
    return column;
  });
}

function opinionLine({ reviewer, comment }) {
  const line = document.createElement("p");
  line.dir = "auto";
  line.textContent = comment ? `${reviewer}: ${comment}` : reviewer;
  return line;
}

function settle(value) {
  const dispute = disputes.shift();
  if (!dispute) return;
  const key = newKey();
  const seconds = clock.seconds(performance.now());
  history.push({ key, dispute });
  noteAct("");
  show();
  outbox.add({ key, item: dispute.item, act: "label", value, seconds });
  element("text").focus({ preventScroll: true });
}

function undo() {
  const last = history.pop();
  if (!last) return notice("There is nothing left to undo.");
  noteAct("undo");
  outbox.add({ key: newKey(), item: last.dispute.item, act: "undo", withdraws: last.key });
  disputes.unshift(last.dispute);
  show();
}

async function settleBy(method) {
  const { settled } = await post("/api/settle", { method });
  await load();
  notice(`Settled ${settled}. ${disputes.length} left.`);
}

const ACTS = {
  next: () => {
    disputes.push(...disputes.splice(0, 1));
    show();
  },
  undo,
  guidelines: () => openDialog("guidelines"),
  keys: () => openDialog("keys"),
};

describe(KEYS);
watchClipped(element("text"));
listen(
  KEYS,
  (name) => ACTS[name](),
  (key) => {
    const button = element("opinions").querySelectorAll("button")[Number(key) - 1];
    if (!/^[1-9]$/.test(key) || !button || button.disabled) return false;
    button.click();
    return true;
  },
);
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => ACTS[button.dataset.act]());
}
for (const button of document.querySelectorAll("[data-method]")) {
  button.addEventListener("click", () => settleBy(button.dataset.method));
}
load();
