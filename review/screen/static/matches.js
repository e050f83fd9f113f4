// Finding labels by what was typed.

/**
 * Find labels: the one of that name, then those whose words begin with what was typed, then those
 * that hold it, then those whose description does; and if there are none, those that hold its
 * letters in order. Within each the labels keep their order.
 *
 * @param labels Each with a name and a description.
 */
export function matches(labels, typed) {
  const raw = typed.trim();
  if (!raw) return labels;
  const wanted = plain(raw);
  // What is a sign between words alone is looked for as it is.
  const rank = wanted ? (label) => level(label, wanted) : ({ name }) => (name.includes(raw) ? 0 : null);
  const ranked = labels.map((label) => [rank(label), label]).filter(([own]) => own !== null);
  const good = ranked.some(([own]) => own < IN_ORDER) ? ranked.filter(([own]) => own < IN_ORDER) : ranked;
  return good.sort(([one], [other]) => one - other).map(([, label]) => label);
}

const IN_ORDER = 5;

function level({ name, description }, wanted) {
  const own = plain(name);
  if (own === wanted) return 0;
  if (own.startsWith(wanted)) return 1;
  if (own.includes(` ${wanted}`)) return 2;
  if (own.includes(wanted)) return 3;
  if (plain(description).includes(wanted)) return 4;
  let place = -1;
  const inOrder = [...wanted].every((letter) => (place = own.indexOf(letter, place + 1)) >= 0);
  return inOrder ? IN_ORDER : null;
}

/** Set aside case, accents and the signs between words. */
export function plain(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[\s_\-/.]+/g, " ")
    .trim();
}
