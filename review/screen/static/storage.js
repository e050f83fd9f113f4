// What outlives the page: the browser's storage, or memory where there is none or it is full.

const memory = new Map();

export function stored(name) {
  return attempt(() => localStorage.getItem(name)) ?? memory.get(name) ?? null;
}

export function store(name, value) {
  if (attempt(() => localStorage.setItem(name, value) ?? true)) memory.delete(name);
  else memory.set(name, value);
}

export function forget(name) {
  attempt(() => localStorage.removeItem(name));
  memory.delete(name);
}

/** List the names that begin so, in their order. */
export function namesOf(prefix) {
  const names = [...(attempt(() => Object.keys(localStorage)) ?? []), ...memory.keys()];
  return names.filter((name) => name.startsWith(prefix)).sort();
}

function attempt(act) {
  try {
    return act();
  } catch {
    return null;
  }
}
