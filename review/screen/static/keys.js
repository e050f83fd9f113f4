// Keys to acts. One table: what is listed on `?` is what happens.

const ALONE = ["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"]; // no key of their own
const COMPOSING = ["Process", "Dead", "Unidentified"]; // an input method, or an accent, has begun

/**
 * Call `act(name, event)` for the key of a table `{act: {keys, says}}` that is pressed.
 *
 * A key "Esc f" is f after Escape. `waiting` is called with whether such a second key is waited for,
 * and `composing` when a text begins of which the first key does not tell the letter.
 */
export function listen(table, act, otherwise = () => false, waiting = () => {}, composing = () => {}) {
  const acts = new Map();
  for (const [name, { keys }] of Object.entries(table)) {
    for (const key of keys) acts.set(key, name);
  }
  const afterEscape = [...acts.keys()].some((key) => key.startsWith("Esc "));
  let escaped = false;
  const wait = (whether) => {
    if (whether !== escaped) waiting((escaped = whether));
  };
  document.addEventListener("focusin", () => wait(false));
  document.addEventListener("pointerdown", () => wait(false));
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (ALONE.includes(event.key)) return;
    if (event.isComposing || (COMPOSING.includes(event.key) && !event.altKey)) return composing();
    if (event.key === "Escape") return wait(afterEscape);
    const key = nameOf(event);
    const name = (escaped && acts.get(`Esc ${key?.toLowerCase()}`)) || acts.get(key);
    wait(false);
    if (key === null) return;
    const onButton = event.target.closest?.("a, button");
    if (onButton && (key === "Enter" || key === " ")) return; // it presses what has the focus
    if (name !== undefined) {
      event.preventDefault();
      if (!event.repeat || name === "undo") act(name, event);
    } else if (!event.repeat && otherwise(key, event)) {
      event.preventDefault();
    }
  });
}

/** Where letters search, a command that is a letter needs Alt, or comes after Escape. */
export function lettersFree(table) {
  const freed = ([name, row]) => [
    name,
    {
      ...row,
      keys: row.keys.flatMap((key) => (isLetter(key) ? [`Alt+${key}`, `Esc ${key}`] : key)),
      shown: (row.shown ?? row.keys).flatMap((key) =>
        isLetter(key) ? [`Alt+${key.toUpperCase()}`, `Esc ${key.toUpperCase()}`] : key,
      ),
    },
  ];
  return Object.fromEntries(Object.entries(table).map(freed));
}

/** List a table of keys in the dialog that `?` opens. */
export function describe(table) {
  const list = document.querySelector("#keys dl");
  list.replaceChildren();
  for (const { keys, shown, says } of Object.values(table)) {
    const term = document.createElement("dt");
    for (const key of shown ?? keys) {
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      term.append(kbd, " ");
    }
    const description = document.createElement("dd");
    description.textContent = says;
    list.append(term, description);
  }
}

function nameOf(event) {
  if (event.getModifierState("AltGraph")) return event.key; // it types a letter
  if (event.ctrlKey || event.metaKey) {
    const undo = !event.altKey && !event.shiftKey && event.key.toLowerCase() === "z";
    return undo ? "Ctrl+Z" : null;
  }
  if (!event.altKey) return event.key;
  // What is written on the key counts, wherever it is. On some systems Alt types another character.
  const letter = /^[a-z]$/i.test(event.key) ? event.key : /^Key([A-Z])$/.exec(event.code)?.[1];
  return letter ? `Alt+${letter.toLowerCase()}` : null;
}

const isLetter = (key) => /^\p{L}$/u.test(key);

function isTyping(element) {
  return element.closest?.("input, select, textarea") != null;
}
