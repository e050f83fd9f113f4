// Answers: lists of parts, each a label and the place in the item where it holds.

/** The answer that is one label for the whole item. */
export const valueOf = (label) => [{ label, place: [] }];

/** Tell an answer in a few words, as `in_words` does. */
export const words = (value) =>
  value.map(({ label, place }) => [label, place.join("-")].filter(Boolean).join(" ")).join(", ") ||
  "nothing";
