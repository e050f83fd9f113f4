// One item at a time: a key decides, and the next one is there.

import { get, part as partName } from "./api.js";
import { watchPage } from "./clock.js";
import { draftOf, dropDraft, keepDraft } from "./drafts.js";
import { showEnd } from "./end.js";
import { describe, lettersFree, listen } from "./keys.js";
import { Outbox, newKey } from "./outbox.js";
import { breakable, element, noteAct, notice, openDialog } from "./page.js";
import { showItem, showSaved, showStanding, watchClipped } from "./page.js";
import { Supply } from "./supply.js";
import { words } from "./values.js";

const KEYS = {
  accept: { keys: ["Enter"], says: "Accept the chosen label and continue" },
  skip: { keys: [" "], shown: ["space"], says: "Skip" },
  flag: { keys: ["f"], says: "Flag: something is wrong with the item" },
  comment: { keys: ["c"], says: "Comment, for whoever looks at it later" },
  undo: {
    keys: ["Backspace", "u", "Ctrl+Z"],
    shown: ["⌫", "u", "Ctrl+Z"],
    says: "Undo the last answer; repeat to undo more",
  },
  guidelines: { keys: ["h"], says: "Guidelines" },
  scroll: { keys: [], shown: ["↑", "↓"], says: "Scroll a long text" },
  keys: { keys: ["?"], says: "Show these keys" },
};
const PAST_ITEMS = 20;

const clock = watchPage();
const outbox = new Outbox("/api/answers", showSaved, ({ standing }) => showStanding(standing));
const supply = new Supply(outbox, onItems);
const { Part } = await import(`./tasks/${partName}.js`);
const part = new Part({ answer: (value) => answer("label", value), changed: showAccept });
const history = []; // answers that can be taken back, oldest first
const takenBack = new Set();
let historyIsWhole = false;
let painted; // the item that is on the screen

function onItems({ standing }) {
  showStanding(standing);
  if (supply.current !== painted) show();
  else if (!supply.current) showNothing();
  showEnd(supply.summary, standing);
}

/** Put the current item on the screen; nothing here waits for the network. */
function show() {
  const shown = (painted = supply.current);
  element("item").setAttribute("aria-busy", String(!shown));
  if (!shown) return showNothing();
  notice("");
  showEnd(null);
  document.body.classList.remove("empty", "nudge");
  element("about").textContent = about(shown);
  element("about").classList.toggle("blind", shown.blind);
  showItem(element("text"), shown.fields);
  element("comment").value = draftOf(shown.item) ?? shown.comment;
  element("comment-line").hidden = !element("comment").value;
  part.show(shown);
  showAccept();
  clock.reset(performance.now());
}

function showAccept() {
  const value = part.value();
  const accept = document.querySelector('[data-act="accept"]');
  accept.disabled = !value;
  accept.querySelector("span").replaceChildren(...breakable(value ? `Accept ${words(value)}` : "Accept"));
}

const TAKEN_BACK = {
  flag: "You flagged this item; the flag is undone. Choose a label, or flag it again.",
  skip: "You skipped this item; the skip is undone. Choose a label, or skip it again.",
};

function about(shown) {
  if (shown.said) return `${wentBack()}Your answer was ${words(shown.said)}. Enter keeps it.`;
  if (shown.act in TAKEN_BACK) return wentBack() + TAKEN_BACK[shown.act];
  if (shown.blind) return "Shown without a proposal: choose a label yourself.";
  return shown.reason ?? "";
}

/** Say how many items ago it was, so that nobody goes back further than they mean to. */
function wentBack() {
  const back = supply.items.filter((each) => each.back).length;
  return back > 1 ? `${back} items back. ` : "";
}

function showNothing() {
  document.body.classList.add("empty");
  element("about").textContent = "";
  showItem(element("text"), []);
  part.show(null);
  const waits = supply.asked && !supply.summary && outbox.waiting().length;
  notice(waits ? "Waiting for the connection. Your answers are kept here." : "");
}

function answer(act, value = null) {
  const shown = supply.current;
  if (!shown) return;
  const key = newKey();
  const comment = element("comment").value.replace(/\p{Surrogate}/gu, "\ufffd"); // JSON holds none
  const seconds = clock.seconds(performance.now());
  history.push({ key, shown: { ...shown, act, said: value, comment } });
  supply.advance();
  noteAct(act);
  show();
  dropDraft(shown.item);
  outbox.add({ key, item: shown.item, act, value, seconds, comment });
  supply.replenish();
  focusText();
}

function accept() {
  const value = supply.current && part.value();
  if (value) answer("label", value);
  else document.body.classList.add("nudge"); // whoever goes on by Enter alone would wonder
}

async function undo() {
  if (!history.length && !historyIsWhole) await readPast();
  const last = history.pop();
  if (!last) return notice("There is nothing left to undo.");
  takenBack.add(last.key);
  const seconds = clock.seconds(performance.now());
  if (last.shown.comment) keepDraft(last.shown.item, last.shown.comment);
  supply.putBack({ ...last.shown, back: true });
  noteAct("undo");
  show();
  outbox.add({ key: newKey(), item: last.shown.item, act: "undo", withdraws: last.key, seconds });
  if (history.length < PAST_ITEMS / 2) readPast();
}

let reading = null;
function readPast() {
  reading ??= readPastOnce()
    .catch(() => {})
    .finally(() => (reading = null));
  return historyIsWhole ? Promise.resolve() : reading;
}

/** Fetch answers older than those that are known, so that taking back has no limit. */
async function readPastOnce() {
  if (!(await outbox.flush())) return;
  const before = history[0]?.key;
  const query = before ? `&before=${encodeURIComponent(before)}` : "";
  const { past } = await get(`/api/past?count=${PAST_ITEMS}${query}`);
  historyIsWhole = past.length < PAST_ITEMS;
  const known = new Set([...takenBack, ...history.map((each) => each.key)]);
  history.unshift(...past.reverse().filter((each) => !known.has(each.key)));
}

function comment() {
  element("comment-line").hidden = false;
  element("comment").focus();
}

/** Where the arrows and the page keys scroll a long text. */
const focusText = () => element("text").focus({ preventScroll: true });

const ACTS = {
  accept,
  skip: () => answer("skip"),
  flag: () => answer("flag"),
  comment,
  undo,
  guidelines: () => openDialog("guidelines"),
  keys: () => openDialog("keys"),
};

const table = { ...part.keys, ...(part.letters ? lettersFree(KEYS) : KEYS) };
describe(table);
listen(
  table,
  (name) => (ACTS[name] ? ACTS[name]() : part.act(name)),
  (key) => part.onKey(key),
  (waits) => part.onEscape(waits),
  () => part.onComposing(),
);
watchClipped(element("text"));
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => ACTS[button.dataset.act]());
}
element("comment").addEventListener("input", (event) => {
  if (supply.current) keepDraft(supply.current.item, event.target.value);
});
element("comment").addEventListener("keydown", (event) => {
  if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
  event.preventDefault();
  focusText();
});
focusText();
supply.fill().then(readPast);
