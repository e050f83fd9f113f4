// What a reviewer sees who has nothing in hand: what they did, and what comes next.

import { Unreachable, post } from "./api.js";
import { count, element, showStanding } from "./page.js";

const MINUTE = 60;

let shown = "null"; // what is said again is not announced again

/** Show the summary of the server, or nothing for null. */
export function showEnd(summary, standing) {
  const news = JSON.stringify(summary && [summary, standing]);
  if (news === shown) return;
  shown = news;
  element("end").hidden = !summary;
  document.body.classList.toggle("ended", Boolean(summary));
  if (!summary) return;
  element("end-title").textContent = title(summary, standing);
  element("end-done").textContent = done(summary);
  element("end-next").replaceChildren(...next(summary, standing));
  const button = element("end-button");
  button.textContent = summary.next?.button ?? "";
  button.hidden = !button.textContent || summary.live || standing.left > 0;
  button.disabled = standing.busy;
}

function title({ answered }, { left, total }) {
  if (!total) return "There is nothing to label";
  if (left) return "Nothing is left for you at the moment";
  return answered ? "All done" : "Nothing is left to do here";
}

/** "25 items done, 8 of them changed, 2 skipped, 1 flagged, in 12 minutes." */
function done({ answered, changed, skipped, flagged, seconds }) {
  if (!answered) return "";
  const parts = [`You answered ${items(answered)}`];
  for (const [number, what] of [
    [changed, "changed"],
    [skipped, "skipped"],
    [flagged, "flagged"],
  ]) {
    if (number) parts.push(`${count(number)} ${what}`);
  }
  return `${parts.join(", ")}, in ${time(seconds)}.`;
}

function next({ elsewhere, live, next }, { left, refill, busy }) {
  const said = [];
  if (left) {
    said.push(`${items(left)} ${left === 1 ? "is" : "are"} with other people; what they do not answer comes to you.`);
  } else if (elsewhere) {
    said.push(`${items(elsewhere)} still ${elsewhere === 1 ? "waits" : "wait"} for other people.`);
  }
  if (refill) said.push(refill);
  if (next && !busy) said.push(...whatComes(next, live, left));
  return said.map((each) => {
    const line = document.createElement("p");
    line.append(...[each].flat());
    return line;
  });
}

/** Say what the server says: the screen promises nothing of its own. */
function whatComes({ why, command, does, makes_batch }, live, left) {
  const said = why ? [why] : [];
  if (makes_batch && live) said.push("The next items are being chosen; they will appear here.");
  else if (command && !left) {
    const code = document.createElement("code");
    code.textContent = command;
    said.push(["In the terminal, ", code, ` ${does}`]);
  } else if (makes_batch) said.push("Whoever runs this workspace makes the next batch, which then appears here.");
  return said;
}

const items = (number) => `${count(number)} ${number === 1 ? "item" : "items"}`;

function time(seconds) {
  if (seconds < MINUTE) return "less than a minute";
  const minutes = Math.round(seconds / MINUTE);
  return minutes === 1 ? "one minute" : `${count(minutes)} minutes`;
}

element("end-button").addEventListener("click", async (event) => {
  event.target.disabled = true;
  try {
    showStanding((await post("/api/next", {})).standing);
  } catch (error) {
    event.target.disabled = false;
    if (!(error instanceof Unreachable)) console.error(error);
  }
});
