/* map-view.ts: what the map shows: which hosts and conversations are left by the filters, which hosts stand together as one
 * group, and where everything stands. Knows nothing of drawing. */

export interface MapHost {
  id: string; is_asset: boolean; name: string; address: string; class: string; level: string; is_level_guessed: boolean; zone: string; segment: string;
  first_seen: string | null; is_new: boolean; alerts: number;
}

export interface MapLink { source: string; target: string; protocol: string; reads: number; writes: number; count: number; is_new: boolean; first_seen: string; last_seen: string }

export interface MapData { hosts: MapHost[]; links: MapLink[]; protocols: string[]; first: string | null; last: string | null; is_cut: boolean }

export interface MapChoice {
  protocol: string;
  /** Milliseconds; what was seen first later is left out. */
  until: number;
  isNewOnly: boolean;
  /** Keys of the groups that are open although there are many hosts. */
  open: Set<string>;
}

/** A host, or a group of them. */
export interface Spot { id: string; label: string; x: number; y: number; kind: "host" | "group"; class: string; isNew: boolean; alerts: number; hosts: MapHost[] }

export interface Line { id: string; source: string; target: string; protocols: string[]; reads: number; writes: number; count: number; isNew: boolean }

export interface Row { title: string; y: number; height: number }

export interface MapView { spots: Spot[]; lines: Line[]; rows: Row[]; links: MapLink[]; hosts: MapHost[]; isGrouped: boolean; isNarrow: boolean; /** Too many to be told apart: drawn faintly. */ isDense: boolean }

/** More than these are shown as groups. */
const HOSTS_SHOWN = 150;
/** With more groups than these, whole sites (a /16) stand together. */
const GROUPS_MAX = 120;
const LINES_DENSE = 250;
/** On a narrow screen what is nearer to each other can be drawn larger. */
const STEP_X_NARROW = 116;
const STEP_X = 150, STEP_Y = 84, ROW_GAP = 36, COLUMNS_LEAST = 3, COLUMNS_MOST = 24, TITLE_WIDTH = 180;
/** Width to height of the place for the drawing. */
const SHAPE_WIDE = 2.1, SHAPE_NARROW = 0.6;

const levels: [string, string][] = [
  ["5", "Outside"], ["4", "Level 4 · business"], ["3.5", "Level 3.5 · DMZ"], ["3", "Level 3 · operations"], ["2", "Level 2 · supervision"], ["1", "Level 1 · control"],
  ["0", "Level 0 · process"], ["", "Level unknown"],
];

/** The zone; without one the network: a /24 of IPv4, a /64 of IPv6. */
export function placeOf(host: MapHost): string {
  if (host.zone) return host.zone;
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host.address)) return host.address.replace(/\.\d+$/, ".0/24");
  if (host.address.includes(":") && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(host.address)) return host.address.split(":").slice(0, 4).join(":") + "::/64";
  return host.segment || "no network";
}

/** The key of the group that a host is in: "1|10.0.7.0/24". */
export const groupOf = (host: MapHost) => `${host.level}|${placeOf(host)}`;

/** The site of a network: what groups of groups are made of. */
export const siteOf = (host: MapHost) => `${host.level}|${host.zone || placeOf(host).replace(/^(\d+\.\d+)\.\d+\.0\/24$/, "$1.0.0/16")}`;

function chosen(data: MapData, choice: MapChoice): { hosts: MapHost[]; links: MapLink[] } {
  const links = data.links.filter((l) => (!choice.protocol || l.protocol === choice.protocol) && Date.parse(l.first_seen) <= choice.until && (!choice.isNewOnly || l.is_new));
  const talking = new Set(links.flatMap((l) => [l.source, l.target]));
  const isWhole = !choice.protocol && !choice.isNewOnly;
  const hosts = data.hosts.filter((h) => talking.has(h.id) || (isWhole && h.first_seen !== null && Date.parse(h.first_seen) <= choice.until));
  return { hosts, links };
}

/** By place; those of a site together when there are too many places, unless the site was opened. */
function groupsOf(hosts: MapHost[], open: Set<string>): Map<string, MapHost[]> {
  const isLarge = new Set(hosts.map(groupOf)).size > GROUPS_MAX;
  const groups = new Map<string, MapHost[]>();
  for (const host of hosts) {
    const site = siteOf(host), key = isLarge && !open.has(site) ? site : groupOf(host), members = groups.get(key);
    if (members) members.push(host);
    else groups.set(key, [host]);
  }
  return groups;
}

function spotsOf(hosts: MapHost[], open: Set<string>, isGrouped: boolean): { spots: Spot[]; spotOf: Map<string, string> } {
  const groups = groupsOf(hosts, open);
  const spots: Spot[] = [], spotOf = new Map<string, string>();
  for (const [key, members] of [...groups].sort((a, b) => a[0].localeCompare(b[0], undefined, { numeric: true }))) {
    if (isGrouped && members.length > 1 && !open.has(key)) {
      const id = "group:" + key;
      for (const host of members) spotOf.set(host.id, id);
      spots.push({
        id, label: `${key.slice(key.indexOf("|") + 1)}\n${members.length} hosts`, x: 0, y: 0, kind: "group", class: "", isNew: members.some((h) => h.is_new),
        alerts: members.reduce((sum, h) => sum + h.alerts, 0), hosts: members,
      });
      continue;
    }
    for (const host of members.sort((a, b) => a.address.localeCompare(b.address, undefined, { numeric: true }))) {
      spotOf.set(host.id, host.id);
      const label = host.name === host.address ? host.name : `${host.name}\n${host.address}`;
      spots.push({ id: host.id, label, x: 0, y: 0, kind: "host", class: host.class, isNew: host.is_new, alerts: host.alerts, hosts: [host] });
    }
  }
  return { spots, spotOf };
}

function linesOf(links: MapLink[], spotOf: Map<string, string>): Line[] {
  const lines = new Map<string, Line>();
  for (const link of links) {
    const source = spotOf.get(link.source), target = spotOf.get(link.target);
    if (!source || !target || source === target) continue;
    const id = `${source} > ${target}`;
    const line = lines.get(id) ?? { id, source, target, protocols: [], reads: 0, writes: 0, count: 0, isNew: false };
    if (link.protocol && !line.protocols.includes(link.protocol)) line.protocols.push(link.protocol);
    line.reads += link.reads;
    line.writes += link.writes;
    line.count += link.count;
    line.isNew ||= link.is_new;
    lines.set(id, line);
  }
  return [...lines.values()];
}

/** The spots of each level that has any, from above. */
function levelsOf(spots: Spot[]): [string, Spot[]][] {
  const isKnown = (level: string) => level !== "" && levels.some(([l]) => l === level);
  return levels.map(([level, title]): [string, Spot[]] => [title, spots.filter((s) => (isKnown(s.hosts[0]!.level) ? s.hosts[0]!.level : "") === level)])
    .filter(([, members]) => members.length > 0);
}

/** As many beside each other as make the drawing largest in its place. */
function columnsFor(counts: number[], isNarrow: boolean): number {
  const shape = isNarrow ? SHAPE_NARROW : SHAPE_WIDE, step = isNarrow ? STEP_X_NARROW : STEP_X;
  let best = COLUMNS_LEAST, least = Infinity;
  for (let columns = COLUMNS_LEAST; columns <= (isNarrow ? COLUMNS_LEAST + 2 : COLUMNS_MOST); columns++) {
    const width = Math.min(columns, Math.max(...counts)) * step + (isNarrow ? 0 : TITLE_WIDTH);
    const height = counts.reduce((sum, n) => sum + Math.ceil(n / columns) * STEP_Y + ROW_GAP, 0);
    const size = Math.max(width, height * shape);
    if (size < least) [best, least] = [columns, size];
  }
  return best;
}

/** Level by level from above; within a level those of one place beside each other, in as many lines as they need. */
function place(spots: Spot[], isNarrow: boolean): Row[] {
  const rows: Row[] = [], byLevel = levelsOf(spots), columns = columnsFor(byLevel.map(([, members]) => members.length), isNarrow), step = isNarrow ? STEP_X_NARROW : STEP_X;
  let y = 0;
  for (const [title, members] of byLevel) {
    members.forEach((spot, i) => {
      const line = Math.floor(i / columns), inLine = Math.min(columns, members.length - line * columns);
      spot.x = ((i % columns) - (inLine - 1) / 2) * step;
      spot.y = y + line * STEP_Y + (i % 2) * 22; // neighbours' words do not touch
    });
    const height = Math.ceil(members.length / columns) * STEP_Y;
    rows.push({ title, y: y + (height - STEP_Y) / 2, height });
    y += height + ROW_GAP;
  }
  return rows;
}

/** isNarrow: for a screen that is higher than wide. */
export function viewOf(data: MapData, choice: MapChoice, isNarrow: boolean): MapView {
  const { hosts, links } = chosen(data, choice);
  const isGrouped = hosts.length > HOSTS_SHOWN;
  const { spots, spotOf } = spotsOf(hosts, choice.open, isGrouped);
  const rows = place(spots, isNarrow);
  const lines = linesOf(links, spotOf);
  return { spots, lines, rows, links, hosts, isGrouped, isNarrow, isDense: lines.length > LINES_DENSE };
}
