// What the pages for reviewers have in common: progress, state of saving, dialogs, long texts.

const BLOCK = 4000; // characters that are laid out together; what is not in view is not

export const element = (id) => document.getElementById(id);

/** Show what is seen of an item: its only text, or several side by side, each under its name. */
export function showItem(place, fields) {
  const several = fields.length > 1;
  place.replaceChildren(...fields.flatMap(([name, text]) => (several ? field(name, text) : paragraphs(text))));
  const length = fields.reduce((sum, [, text]) => sum + text.length, 0);
  place.scrollTop = 0;
  place.classList.toggle("several", several);
  place.classList.toggle("long", length > 700);
  place.classList.toggle("huge", length > 2 * BLOCK);
  markClipped(place);
}

function field(name, text) {
  const section = document.createElement("section");
  const heading = document.createElement("div");
  heading.className = "field";
  heading.textContent = name;
  section.append(heading, ...paragraphs(text));
  return section;
}

/** A text as text, whatever is in it; each paragraph in its own direction. */
function paragraphs(text) {
  return blocksOf(text).map((block) => {
    const paragraph = document.createElement("p");
    paragraph.dir = "auto";
    paragraph.textContent = block;
    return paragraph;
  });
}

function blocksOf(text) {
  const blocks = [];
  for (const line of text.split("\n")) {
    let start = 0;
    while (line.length - start > BLOCK) {
      const space = line.lastIndexOf(" ", start + BLOCK);
      const end = space > start ? space + 1 : safeEnd(line, start + BLOCK);
      blocks.push(line.slice(start, end));
      start = end;
    }
    blocks.push(line.slice(start));
  }
  return blocks;
}

/** Never cut a character in two. */
function safeEnd(line, end) {
  const code = line.charCodeAt(end);
  return code >= 0xdc00 && code <= 0xdfff ? end - 1 : end;
}

/** A name as nodes; its lines may break after the signs between its words, not within one. */
export function breakable(name) {
  return name
    .split(/(?<=[_\-/.])/)
    .flatMap((part, place) => (place ? [document.createElement("wbr"), part] : [part]));
}

/** Show at an edge of a box that its content goes on there. */
export function markClipped(box) {
  box.classList.toggle("goes-on", box.scrollHeight - box.clientHeight - box.scrollTop > 4);
}

/** Keep that mark right while a box is scrolled, and its window changes. */
export function watchClipped(box) {
  const mark = () => markClipped(box);
  box.addEventListener("scroll", mark, { passive: true });
  new ResizeObserver(mark).observe(box);
}

/** As `whole_percent` does in the reasons. */
export const percent = (share) => `${Math.round(100 * share)}%`;

export function showStanding(standing) {
  element("progress").max = Math.max(1, standing.total);
  element("progress").value = standing.total - standing.left;
  element("left").textContent = `${count(standing.left)} of ${count(standing.total)} left`;
  element("pace").textContent = standing.per_hour
    ? `${count(Math.round(standing.per_hour))} items per hour`
    : "";
  element("accuracy").textContent = standing.accuracy;
  element("refill").textContent = standing.refill;
  const disputes = element("disputes");
  if (disputes) {
    disputes.hidden = !standing.disputes;
    disputes.textContent = standing.disputes ? ` ${count(standing.disputes)}` : "";
  }
}

export function showSaved({ waiting, offline, refused }) {
  const saved = element("saved");
  saved.classList.toggle("wrong", offline || refused.length > 0);
  const said = [];
  if (refused.length) said.push(`${refused.length} not stored: ${refused.at(-1)}.`);
  if (offline) said.push(`No connection. ${answers(waiting)} kept here and will be sent when it is back.`);
  saved.textContent = said.join(" ") || [lastAct, "Saved"].filter(Boolean).join(" ");
  saved.dataset.waiting = waiting;
}

const ACTS_SAID = { skip: "Skipped.", flag: "Flagged.", undo: "Undone." };
let lastAct = "";

/** Say of what leaves no trace on the screen that it was done. */
export function noteAct(act) {
  lastAct = ACTS_SAID[act] ?? "";
}

const answers = (number) => (number === 1 ? "1 answer is" : `${number} answers are`);

export const count = (number) => number.toLocaleString("en-US");

export function notice(text) {
  element("notice").hidden = !text;
  element("notice").textContent = text;
}

export function openDialog(id) {
  element(id).showModal();
}
