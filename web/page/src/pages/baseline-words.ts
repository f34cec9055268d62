/* baseline-words.ts: entries of the baseline as people say them. */

/** "read_holding_registers" as people write it; names that a standard prints with underscores (C_SC_NA_1) stay. */
export const plain = (name: string) => (/^[a-z0-9_]+$/.test(name) ? name.replaceAll("_", " ") : name);

/** A class of operations and the protocol's own name for it, once when they say the same. */
export function operationWords(operation: string, name: string): string {
  const group = operation === "auth" ? "log-in" : plain(operation), own = plain(name);
  if (!own || group === "unknown") return own || group;
  return ` ${own} `.includes(` ${group} `) ? own : `${group}: ${own}`;
}

/** Memory of S7 as its people write it: of bits "db 6 32-47" (DB6.DBB4-DBB5), else of bytes: "db 6 4", "m 0 4.1", "db 5 0+10". */
function s7Words(what: string): string | undefined {
  const found = /^(?:db (\d+)|([miqp])(?: \d+)?) (\d+)(?:\.(\d)|-(\d+)|\+(\d+))?$/.exec(what);
  if (!found) return undefined;
  const [, block, area = "", first, bit, last, count] = found;
  const base = block ? `DB${block}.DB` : area.toUpperCase(), again = block ? "DB" : base;
  if (bit) return `${base}${block ? "X" : ""}${first}.${bit}`;
  if (!last) return `${base}B${first}${Number(count) > 1 ? ` (${count})` : ""}`;
  const from = Number(first), to = Number(last);
  if (from % 8 || to % 8 !== 7) return `${base}X${Math.floor(from / 8)}.${from % 8} to ${again}X${Math.floor(to / 8)}.${to % 8}`;
  return from + 7 === to ? `${base}B${from / 8}` : `${base}B${from / 8} to ${again}B${Math.floor(to / 8)}`;
}

/** "holding_register 200+10" is holding register 200 to 209: a first one and how many. */
export function placeWords(what: string, protocol: string): string {
  const ofS7 = protocol.startsWith("s7comm") ? s7Words(what) : undefined;
  if (ofS7) return ofS7;
  const [area = "", ...rest] = what.split(" ");
  const place = rest.join(" ").replace(/(^| )(\d+)\+(\d+)$/, (_, gap: string, first: string, count: string) =>
    gap + (Number(count) > 1 ? `${first} to ${Number(first) + Number(count) - 1}` : first));
  return [plain(area), place].filter(Boolean).join(" ");
}

/** Values that were learned, in their order: "3, 1, 2" is 1, 2, 3; ranges and words stay. */
export function valueWords(normal: string): string {
  const pace = /^every (\S+) to (\S+) s$/.exec(normal);
  if (pace && pace[1] === pace[2]) return `every ${pace[1]} s`;
  const values = normal.split(", ");
  return values.every((v) => v !== "" && Number.isFinite(Number(v))) ? values.sort((a, b) => Number(a) - Number(b)).join(", ") : normal;
}

/** The sensor's note on how far something is: "settled 99 % known: nothing new for 17 > 10 min". */
/** "40 min", "24 h", "12 days". */
const spanWords = (minutes: number) => minutes < 120 ? `${minutes} min` : minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;

export function progressWords(note: string): string {
  return note.replace(/^(settled|learning) (\d+ % known)/, "$1, $2")
    .replace(/nothing new for (\d+) > (\d+) min/, (_, quiet: string, enough: string) => `nothing new for ${spanWords(Number(quiet))}, ${spanWords(Number(enough))} were enough`)
    .replace(/\b0 of (\d+) seen only once/, "not enough seen yet")
    .replace(/(\d+) of (\d+) seen only once/, "$1 of $2 came only once, so more can be expected");
}
