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

export interface MapView { spots: Spot[]; lines: Line[]; rows: Row[]; links: MapLink[]; hosts: MapHost[]; isGrouped: boolean; isNarrow: boolean }

/** More than these are shown as groups. */
const HOSTS_SHOWN = 150;
const STEP_X = 150, STEP_Y = 84, ROW_GAP = 36, COLUMNS = 16, COLUMNS_NARROW = 3;

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

const groupOf = (host: MapHost) => `${host.level}|${placeOf(host)}`;

function chosen(data: MapData, choice: MapChoice): { hosts: MapHost[]; links: MapLink[] } {
  const links = data.links.filter((l) => (!choice.protocol || l.protocol === choice.protocol) && Date.parse(l.first_seen) <= choice.until && (!choice.isNewOnly || l.is_new));
  const talking = new Set(links.flatMap((l) => [l.source, l.target]));
  const isWhole = !choice.protocol && !choice.isNewOnly;
  const hosts = data.hosts.filter((h) => talking.has(h.id) || (isWhole && h.first_seen !== null && Date.parse(h.first_seen) <= choice.until));
  return { hosts, links };
}

function spotsOf(hosts: MapHost[], open: Set<string>, isGrouped: boolean): { spots: Spot[]; spotOf: Map<string, string> } {
  const groups = new Map<string, MapHost[]>();
  for (const host of hosts) {
    const key = groupOf(host), members = groups.get(key);
    if (members) members.push(host);
    else groups.set(key, [host]);
  }
  const spots: Spot[] = [], spotOf = new Map<string, string>();
  for (const [key, members] of [...groups].sort((a, b) => a[0].localeCompare(b[0], undefined, { numeric: true }))) {
    if (isGrouped && members.length > 1 && !open.has(key)) {
      const id = "group:" + key;
      for (const host of members) spotOf.set(host.id, id);
      spots.push({
        id, label: `${placeOf(members[0]!)}\n${members.length} hosts`, x: 0, y: 0, kind: "group", class: "", isNew: members.some((h) => h.is_new),
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

/** Level by level from above; within a level those of one place beside each other, in as many lines as they need. */
function place(spots: Spot[], isNarrow: boolean): Row[] {
  const rows: Row[] = [], columns = isNarrow ? COLUMNS_NARROW : COLUMNS;
  let y = 0;
  for (const [level, title] of levels) {
    const known = levels.some(([l]) => l !== "" && l === level);
    const members = spots.filter((s) => (known ? s.hosts[0]!.level === level : !levels.some(([l]) => l !== "" && l === s.hosts[0]!.level)));
    if (members.length === 0) continue;
    members.forEach((spot, i) => {
      const line = Math.floor(i / columns), inLine = Math.min(columns, members.length - line * columns);
      spot.x = ((i % columns) - (inLine - 1) / 2) * STEP_X;
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
  return { spots, lines: linesOf(links, spotOf), rows, links, hosts, isGrouped, isNarrow };
}
