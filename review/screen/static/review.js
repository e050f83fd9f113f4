// One item at a time: a key decides, and the next one is there.

import { get } from "./api.js";
import { watchPage } from "./clock.js";
import { describe, listen } from "./keys.js";
import { Labels } from "./labels.js";
import { Outbox, newKey } from "./outbox.js";
import { element, notice, openDialog, showSaved, showStanding, showText } from "./page.js";
import { Supply } from "./supply.js";

const KEYS = {
  accept: { keys: ["Enter"], says: "Accept the chosen label, and go on" },
  digit: { keys: [], shown: ["1", "…", "9", "0"], says: "Choose a label, and go on" },
  skip: { keys: [" "], shown: ["space"], says: "Skip" },
  flag: { keys: ["f"], says: "Flag: something is wrong with the item" },
  comment: { keys: ["c"], says: "Comment, for whoever looks at it later" },
  undo: {
    keys: ["Backspace", "u", "Ctrl+Z"],
    shown: ["⌫", "u", "Ctrl+Z"],
    says: "Take back the last answer, as often as you like",
  },
  guidelines: { keys: ["h"], says: "Guidelines" },
  scroll: { keys: [], shown: ["↑", "↓"], says: "Scroll a long text" },
  keys: { keys: ["?"], says: "These keys" },
};
const FILTER_KEYS = { filter: { keys: ["/"], shown: ["/", "a letter"], says: "Find a label" } };
const PAST_ITEMS = 20;

const clock = watchPage();
const outbox = new Outbox("/api/answers", showSaved, ({ standing }) => showStanding(standing));
const supply = new Supply(outbox, onItems);
const labels = new Labels((label) => answer("label", label));
const history = []; // answers that can be taken back, oldest first
const takenBack = new Set();
let historyIsWhole = false;
let painted; // the item that is on the screen

function onItems({ standing }) {
  showStanding(standing);
  if (supply.current !== painted) show();
  else if (!supply.current) showNothing();
}

/** Put the current item on the screen; nothing here waits for the network. */
function show() {
  const shown = (painted = supply.current);
  element("item").setAttribute("aria-busy", String(!shown));
  if (!shown) return showNothing();
  notice("");
  document.body.classList.remove("empty", "nudge");
  element("about").textContent = about(shown);
  element("about").classList.toggle("blind", shown.blind);
  showText(element("text"), shown.text);
  element("comment").value = shown.comment;
  element("comment-line").hidden = !shown.comment;
  labels.show(shown, chosen(shown));
  const accept = document.querySelector('[data-act="accept"]');
  accept.disabled = !chosen(shown);
  accept.querySelector("span").textContent = chosen(shown) ? `Accept ${chosen(shown)}` : "Accept";
  clock.reset(performance.now());
}

function about(shown) {
  if (shown.said) return `${wentBack()}You said ${shown.said}. Enter keeps it.`;
  if (shown.blind) return "Without a proposal: choose a label yourself.";
  return shown.reason ?? "";
}

/** Say how many items ago it was, so that nobody goes back further than they mean to. */
function wentBack() {
  const back = supply.items.filter((each) => each.back).length;
  return back > 1 ? `${back} items back. ` : "";
}

const chosen = (shown) => shown.said ?? shown.proposal[0]?.label;

function showNothing() {
  document.body.classList.add("empty");
  element("about").textContent = "";
  showText(element("text"), "");
  labels.show({ proposal: [] });
  if (!supply.asked) notice("");
  else if (outbox.waiting().length) notice("Waiting for the connection. What you said is kept here.");
  else notice("Nothing is waiting for you. New items appear here by themselves.");
}

function answer(act, label = null) {
  const shown = supply.current;
  if (!shown) return;
  const key = newKey();
  const comment = element("comment").value;
  const seconds = clock.seconds(performance.now());
  history.push({ key, shown: { ...shown, said: label ?? undefined, comment } });
  supply.advance();
  show();
  outbox.add({ key, item: shown.item, act, label, seconds, comment });
  supply.replenish();
  focusText();
}

function accept() {
  const label = supply.current && chosen(supply.current);
  if (label) answer("label", label);
  else document.body.classList.add("nudge"); // whoever goes on by Enter alone would wonder
}

async function undo() {
  if (!history.length && !historyIsWhole) await readPast();
  const last = history.pop();
  if (!last) return notice("There is nothing left to take back.");
  takenBack.add(last.key);
  const seconds = clock.seconds(performance.now());
  supply.putBack({ ...last.shown, back: true });
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
  filter: () => labels.open(),
};

function onOtherKey(key) {
  const label = labels.ofDigit(key);
  if (label !== undefined) answer("label", label);
  else if (labels.filter && /^\p{L}$/u.test(key)) labels.open(key);
  else return false;
  return true;
}

const table = labels.filter ? { ...KEYS, ...FILTER_KEYS } : KEYS;
describe(table);
listen(table, (name) => ACTS[name](), onOtherKey);
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => ACTS[button.dataset.act]());
}
element("comment").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" && event.key !== "Escape") return;
  event.preventDefault();
  focusText();
});
focusText();
supply.fill().then(readPast);
