// Keys to acts. One table: what is listed on `?` is what happens.

/** Call `act(name, event)` for the key of a table `{act: {keys, says}}` that is pressed. */
export function listen(table, act, otherwise = () => false) {
  const acts = new Map();
  for (const [name, { keys }] of Object.entries(table)) {
    for (const key of keys) acts.set(key, name);
  }
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const key = nameOf(event);
    if (key === null) return;
    const onButton = event.target.closest?.("a, button");
    if (onButton && (key === "Enter" || key === " ")) return; // it presses what has the focus
    const name = acts.get(key);
    if (name !== undefined) {
      event.preventDefault();
      if (!event.repeat || name === "undo") act(name, event);
    } else if (!event.repeat && otherwise(key, event)) {
      event.preventDefault();
    }
  });
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
  if (event.altKey) return null;
  if (event.ctrlKey || event.metaKey) {
    return event.key.toLowerCase() === "z" && !event.shiftKey ? "Ctrl+Z" : null;
  }
  return event.key;
}

function isTyping(element) {
  return element.closest?.("input, select, textarea") != null;
}
