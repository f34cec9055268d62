/* baseline-words.ts: entries of the baseline as people say them. */

/** "read_holding_registers" as people write it; names that a standard prints with underscores (C_SC_NA_1) stay. */
export const plain = (name: string) => (/^[a-z0-9_]+$/.test(name) ? name.replaceAll("_", " ") : name);

/** A class of operations and the protocol's own name for it, once when they say the same. */
export function operationWords(operation: string, name: string): string {
  const group = plain(operation), own = plain(name);
  if (!own || group === "unknown") return own || group;
  return ` ${own} `.includes(` ${group} `) ? own : `${group}: ${own}`;
}

/** "holding_register 200+10" is holding register 200 to 209: a first one and how many. */
export function placeWords(what: string): string {
  const [area = "", ...rest] = what.split(" ");
  const place = rest.join(" ").replace(/(^| )(\d+)\+(\d+)$/, (_, gap: string, first: string, count: string) =>
    gap + (Number(count) > 1 ? `${first} to ${Number(first) + Number(count) - 1}` : first));
  return [plain(area), place].filter(Boolean).join(" ");
}

/** Values that were learned, in their order: "3, 1, 2" is 1, 2, 3; ranges and words stay. */
export function valueWords(normal: string): string {
  const values = normal.split(", ");
  return values.every((v) => v !== "" && Number.isFinite(Number(v))) ? values.sort((a, b) => Number(a) - Number(b)).join(", ") : normal;
}

/** The sensor's note on how far something is: "settled 99 % known: nothing new for 17 > 10 min". */
export function progressWords(note: string): string {
  return note.replace(/^(settled|learning) (\d+ % known)/, "$1, $2")
    .replace(/nothing new for (\d+) > (\d+) min/, "nothing new for $1 min, $2 were enough")
    .replace(/\b0 of (\d+) seen only once/, "not enough seen yet")
    .replace(/(\d+) of (\d+) seen only once/, "$1 of $2 came only once, so more can be expected");
}
