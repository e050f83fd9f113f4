"""The rule by which words make near-duplicates; what it makes is kept with its numbers."""

WINDOW = 4  # words of a passage
STRICT_WORDS = 30
FEW_TEXTS = 4  # a passage in so few is widespread beside nothing
AS_WIDESPREAD = 1.5  # a passage may be so many times as widespread as what differs
SLIGHT = 3  # words of either text that the other has not: a number, a name, "Fwd:"
MUCH = 0.15  # of the texts of a pool: what so many share says nothing even of nearly equal texts
RULE = {  # what decides, beside the settings, which words count; another one makes other groups
    "window": WINDOW,
    "strict": STRICT_WORDS,
    "few": FEW_TEXTS,
    "as_widespread": AS_WIDESPREAD,
    "slight": SLIGHT,
    "much": MUCH,
}
