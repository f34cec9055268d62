/* reports.tsx: what happened in a span of days, to read and to print: a summary, maintenance windows, the inventory. The kind
 * and the days are in the address bar, so that a report can be sent as a link. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { query, type Session } from "../api";
import { useData } from "../data";
import { Bar, Empty, counted, Problem, Severity, Time, Waiting, severityName } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, type Route } from "../route";
import { className, nameOf, text, type Asset } from "./asset-columns";

const DAY_MS = 86400000;
const kinds: [string, string][] = [["week", "Summary"], ["maintenance", "Maintenance windows"], ["inventory", "Inventory"]];
const longDate = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

interface Days { from: string; to: string }

/** "2026-01-31" in the reader's zone. */
function dayText(time: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}
const isDay = (text: string | null): text is string => text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !isNaN(new Date(`${text}T00:00:00`).getTime());

/** Of the address bar; else the seven days up to the last packet, which a store of captures has behind it. */
function daysOf(route: Route, lastSeen?: string): Days {
  const from = route.query.get("from"), to = route.query.get("to");
  const end = lastSeen ? new Date(lastSeen) : new Date();
  const last = isDay(to) ? to : dayText(end);
  return { from: isDay(from) ? from : dayText(new Date(new Date(`${last}T12:00:00`).getTime() - 6 * DAY_MS)), to: last };
}

/** The query of a span: from the first day's beginning to the last day's end. */
function spanOf(days: Days): Record<string, string> {
  const end = new Date(`${days.to}T00:00:00`);
  end.setDate(end.getDate() + 1);
  return { from: new Date(`${days.from}T00:00:00`).toISOString(), to: end.toISOString() };
}

function go(route: Route, changes: Record<string, string>): void {
  const next = new URLSearchParams(route.query);
  for (const [key, value] of Object.entries(changes)) next.set(key, value);
  location.hash = linkTo("reports", route.rest, next);
}

function Controls({ route, days, kind }: { route: Route; days: Days; kind: string }) {
  const chosen = (key: string) => (event: Event) => { const value = (event.target as HTMLInputElement).value; if (isDay(value)) go(route, { from: days.from, to: days.to, [key]: value }); };
  const last = (count: number) => () => go(route, { to: days.to, from: dayText(new Date(new Date(`${days.to}T12:00:00`).getTime() - (count - 1) * DAY_MS)) });
  return (
    <div class="controls">
      <nav aria-label="Kinds of report">{kinds.map(([name, title]) => <a key={name} href={linkTo("reports", name, route.query)} aria-current={name === kind ? "page" : undefined}>{title}</a>)}</nav>
      <form class="filters" aria-label="Days of the report" onSubmit={(e) => e.preventDefault()}>
        {kind !== "inventory" && (
          <>
            <label>From <input type="date" value={days.from} max={days.to} onChange={chosen("from")} /></label>
            <label>To <input type="date" value={days.to} min={days.from} onChange={chosen("to")} /></label>
            <button type="button" onClick={last(7)}>7 days</button><button type="button" onClick={last(30)}>30 days</button>
          </>
        )}
        <button type="button" class="primary" onClick={() => print()}>Print</button>
      </form>
    </div>
  );
}

function Heading({ title, session, days }: { title: string; session: Session; days?: Days }) {
  const date = (day: string) => longDate.format(new Date(`${day}T12:00:00`));
  return (
    <header class="report-head">
      <h1>{title}{session.site && `: ${session.site}`}</h1>
      <p class="soft">{days && (days.from === days.to ? `${date(days.from)}. ` : `${date(days.from)} to ${date(days.to)}. `)}Made on {longDate.format(new Date())}{session.user && ` by ${session.user}`} with Sightglass {session.version}.</p>
    </header>
  );
}

/* --- the summary --- */

interface Ranked { host: string; alerts: number; severity: number }
interface Summary {
  assets: number; new_assets_total: number;
  severities: { severity: number; alerts: number; open: number }[];
  rules: { rule: string; name: string; alerts: number; severity: number; open: number }[];
  actors: Ranked[]; targets: Ranked[];
  days: { day: string; alerts: number; high: number }[];
  stories: { id: string; severity: number; alerts: number; first_seen: string; title: string }[];
  new_assets: { id: string; name: string; class: string; address: string; first_seen: string }[];
  work: { by: string; acknowledged: number; closed: number }[];
}

/** By the names of severity, gravest first. */
function byName(rows: Summary["severities"]): [string, number, number][] {
  const sums = new Map<string, [number, number]>();
  for (const row of rows) {
    const [alerts, open] = sums.get(severityName(row.severity)) ?? [0, 0];
    sums.set(severityName(row.severity), [alerts + row.alerts, open + row.open]);
  }
  return [...sums].map(([name, [alerts, open]]) => [name, alerts, open]);
}

function Hosts({ title, hosts }: { title: string; hosts: Ranked[] }) {
  if (hosts.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <table class="figures">
        <thead><tr><th scope="col">Device</th><th scope="col">Gravest</th><th scope="col" class="count">Alerts</th></tr></thead>
        <tbody>{hosts.map((h) => <tr key={h.host}><td><a href={linkTo("alerts", "", { host: h.host, triage: "all" })}>{h.host}</a></td><td><Severity value={h.severity} /></td><td class="count">{h.alerts}</td></tr>)}</tbody>
      </table>
    </section>
  );
}

function SummaryBody({ data }: { data: Summary }) {
  const total = data.severities.reduce((sum, s) => sum + s.alerts, 0), open = data.severities.reduce((sum, s) => sum + s.open, 0);
  const most = Math.max(1, ...data.days.map((d) => d.alerts));
  return (
    <>
      <h2>In short</h2>
      <p>{total === 0 ? "No alert began in these days." : `${counted(total, "alert")} began: ${(total - open).toLocaleString()} closed by now, ${open.toLocaleString()} still open.`} {data.new_assets_total === 0 ? "No new device appeared" : `${counted(data.new_assets_total, "device")} appeared for the first time`}; {data.assets.toLocaleString()} are known.</p>
      {total > 0 && (
        <div class="abreast">
          <section>
            <h3>By severity</h3>
            <table class="figures">
              <thead><tr><th scope="col">Severity</th><th scope="col" class="count">Alerts</th><th scope="col" class="count">Still open</th></tr></thead>
              <tbody>{byName(data.severities).map(([name, alerts, left]) => <tr key={name}><td><span class={`badge ${name}`}>{name}</span></td><td class="count">{alerts}</td><td class="count">{left}</td></tr>)}</tbody>
            </table>
          </section>
          <section>
            <h3>By day (UTC)</h3>
            <table class="figures">
              <thead><tr><th scope="col">Day</th><th scope="col"><span class="hidden">Drawn</span></th><th scope="col" class="count">Alerts</th><th scope="col" class="count">High, critical</th></tr></thead>
              <tbody>{data.days.map((d) => <tr key={d.day}><td class="nobr">{d.day}</td><td><Bar value={d.alerts} most={most} /></td><td class="count">{d.alerts}</td><td class="count">{d.high}</td></tr>)}</tbody>
            </table>
          </section>
        </div>
      )}
      {data.stories.length > 0 && <><h2>Stories</h2><ul class="plain">{data.stories.map((s) => <li key={s.id}><Severity value={s.severity} /> <a href={linkTo("stories", s.id, { state: "all" })}>{s.title}</a> <span class="soft">{counted(s.alerts, "alert")}, <Time value={s.first_seen} /></span></li>)}</ul></>}
      {data.rules.length > 0 && (
        <>
          <h2>What was told</h2>
          <table class="cards">
            <thead><tr><th scope="col">Kind</th><th scope="col">Gravest</th><th scope="col" class="count">Alerts</th><th scope="col" class="count">Still open</th></tr></thead>
            <tbody>{data.rules.map((r) => <tr key={r.rule}><td><a href={linkTo("alerts", "", { rule: r.rule, triage: "all" })}>{r.name}</a> <span class="rule">{r.rule}</span></td><td><Severity value={r.severity} /></td><td class="count" data-label="Alerts">{r.alerts}</td><td class="count" data-label="Still open">{r.open}</td></tr>)}</tbody>
          </table>
          <div class="abreast"><Hosts title="Who acted" hosts={data.actors} /><Hosts title="Who was acted on" hosts={data.targets} /></div>
        </>
      )}
      {data.new_assets.length > 0 && (
        <>
          <h2>New devices</h2>
          <table class="cards">
            <thead><tr><th scope="col">Device</th><th scope="col">Class</th><th scope="col">First seen</th></tr></thead>
            <tbody>{data.new_assets.map((a) => <tr key={a.id}><td><a href={linkTo("assets", a.id)}>{a.name || a.address || a.id}</a>{a.name && <span class="rule">{a.address}</span>}</td><td data-label="Class">{className(a.class)}</td><td data-label="First seen"><Time value={a.first_seen} /></td></tr>)}</tbody>
          </table>
          {data.new_assets.length < data.new_assets_total && <p class="soft">The first {data.new_assets.length} of {data.new_assets_total}.</p>}
        </>
      )}
      {data.work.length > 0 && (
        <>
          <h2>Work on alerts</h2>
          <table class="figures">
            <thead><tr><th scope="col">Who</th><th scope="col" class="count">Acknowledged</th><th scope="col" class="count">Closed</th></tr></thead>
            <tbody>{data.work.map((w) => <tr key={w.by}><td>{w.by}</td><td class="count">{w.acknowledged}</td><td class="count">{w.closed}</td></tr>)}</tbody>
          </table>
        </>
      )}
    </>
  );
}

/* --- maintenance windows --- */

interface Action { actor?: string; target?: string; rule?: string; operation?: string; object?: string; outcome?: string; sha256?: string; size?: number; count: number; first_seen: string; last_seen: string }
interface Window { name: string; ticket?: string; start: string; end: string; ended: boolean; actions: Action[] }

function WindowPart({ w }: { w: Window }) {
  return (
    <section class="window">
      <h2>{w.name}{w.ticket && <span class="soft"> · {w.ticket}</span>}</h2>
      <p class="soft"><Time value={w.start} /> to <Time value={w.end} />{!w.ended && Date.parse(w.end) > Date.now() && ", not over yet"}</p>
      {w.actions.length === 0 ? <p>Nothing was done.</p> : (
        <table class="cards">
          <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">On what</th><th scope="col">What was done</th><th scope="col">Outcome</th><th scope="col" class="count">Times</th></tr></thead>
          <tbody>
            {w.actions.map((a, i) => (
              <tr key={i}>
                <td><Time value={a.first_seen} /></td><td data-label="Who">{a.actor}</td><td data-label="On">{a.target}</td>
                <td>{[a.operation?.replace(/_/g, " "), a.object, a.size && `${a.size.toLocaleString()} bytes`].filter(Boolean).join(", ")}<span class="rule">{a.rule}</span>{a.sha256 && <span class="rule mono">SHA-256 {a.sha256}</span>}</td>
                <td data-label="Outcome">{a.outcome}</td><td class="count" data-label="Times">{a.count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function MaintenanceBody({ data }: { data: { windows: Window[] } }) {
  if (data.windows.length === 0)
    return <Empty>No maintenance window of the site policy had any action in these days. Windows are set in the policy file, under <code>windows</code>.</Empty>;
  return <>{data.windows.map((w) => <WindowPart key={`${w.name} ${w.start}`} w={w} />)}</>;
}

/* --- the inventory --- */

const allColumns: [string, string[]][] = [
  ["Address", ["ip", "mac"]], ["Vendor, model", ["vendor", "model", "order_number"]], ["Firmware", ["firmware_version"]], ["Serial number", ["serial_number"]],
  ["Zone, level", ["zone", "purdue_level"]], ["Serves", ["protocols_served"]],
];

const inventoryColumns = ["asset_id", "name", "hostname", "asset_class", "first_seen", "last_seen", ...allColumns.flatMap(([, keys]) => keys)].join(",");

const ofClass = (n: number, name: string) => { const one = className(name); return counted(n, one, name === "unknown" ? one : one.endsWith("ch") ? one + "es" : one + "s"); };

/** Rows that are drawn at once: thousands would keep the browser busy before anything is seen. */
const ROWS_AT_ONCE = 200;

function InventoryRows({ list, columns }: { list: Asset[]; columns: [string, string[]][] }) {
  return useMemo(() => <>{list.map((asset) => (
    <tr key={text(asset.asset_id)}>
      <td><a href={linkTo("assets", text(asset.asset_id))}>{nameOf(asset)}</a></td>
      {columns.map(([title, keys]) => <td key={title} data-label={title}>{keys.map((key) => text(asset[key])).filter(Boolean).join(", ")}</td>)}
      <td data-label="First seen"><Time value={text(asset.first_seen)} /></td><td data-label="Last seen"><Time value={text(asset.last_seen)} /></td>
    </tr>
  ))}</>, [list, columns]);
}

/** How many of them are drawn by now: thrice as many with every turn, until all are; on paper all. */
function useGrowing(count: number): number {
  const [drawn, setDrawn] = useState(ROWS_AT_ONCE);
  useEffect(() => {
    if (drawn >= count) return;
    const turn = setTimeout(() => setDrawn(3 * drawn)), all = () => setDrawn(count);
    addEventListener("beforeprint", all);
    return () => {
      clearTimeout(turn);
      removeEventListener("beforeprint", all);
    };
  }, [drawn, count]);
  return drawn;
}

interface InventoryClass { name: string; count: number; pieces: { start: number; list: Asset[] }[] }

/** By class, those of an unknown one last; in pieces that are drawn one after the other. */
function classesOf(assets: Asset[]): InventoryClass[] {
  const found = new Map<string, Asset[]>();
  for (const asset of assets) {
    const name = text(asset.asset_class) || "unknown", list = found.get(name);
    if (list) list.push(asset);
    else found.set(name, [asset]);
  }
  let start = 0;
  return [...found].sort(([a], [b]) => Number(a === "unknown") - Number(b === "unknown") || a.localeCompare(b)).map(([name, list]) => {
    const pieces = [];
    for (let at = 0; at < list.length; at += ROWS_AT_ONCE) pieces.push({ start: start + at, list: list.slice(at, at + ROWS_AT_ONCE) });
    start += list.length;
    return { name, count: list.length, pieces };
  });
}

function InventoryBody({ data }: { data: { assets: Asset[]; total: number } }) {
  const classes = useMemo(() => classesOf(data.assets), [data]), drawn = useGrowing(data.assets.length);
  const columns = useMemo(() => allColumns.filter(([, keys]) => data.assets.some((asset) => keys.some((key) => text(asset[key])))), [data]);
  if (data.assets.length === 0) return <Empty>No devices yet: the sensor lists what it hears.</Empty>;
  return (
    <>
      <p>{counted(data.total, "device")}: {classes.map(({ name, count }) => ofClass(count, name)).join(", ")}.{data.assets.length < data.total && ` The first ${data.assets.length} are listed; the export under Assets has all.`}</p>
      {classes.filter(({ pieces }) => pieces[0]!.start < drawn).map(({ name, count, pieces }) => (
        <section key={name}>
          <h2>{className(name)} <span class="number">{count}</span></h2>
          <table class="cards inventory">
            <thead><tr><th scope="col">Device</th>{columns.map(([title]) => <th scope="col" key={title}>{title}</th>)}<th scope="col">First seen</th><th scope="col">Last seen</th></tr></thead>
            <tbody>
              {pieces.filter(({ start }) => start < drawn).map(({ start, list }) => <InventoryRows key={start} list={list} columns={columns} />)}
            </tbody>
          </table>
        </section>
      ))}
    </>
  );
}

export function Reports({ route, session }: PageProps) {
  const kind = kinds.some(([name]) => name === route.rest) ? route.rest : "week";
  const isDated = kind !== "inventory", needsEnd = isDated && !isDay(route.query.get("to"));
  const status = useData<{ last_seen?: string }>(needsEnd ? "/api/v1/status" : null);
  const days = daysOf(route, status.data?.last_seen);
  const isReady = !needsEnd || status.data !== undefined || status.error !== undefined;
  const path = !isReady ? null : kind === "inventory" ? `/api/v1/assets?limit=5000&sort=ip&columns=${inventoryColumns}` : `/api/v1/reports/${kind === "week" ? "summary" : "maintenance"}${query(spanOf(days))}`;
  const { data, error, isLoading, reload } = useData<Summary & { windows: Window[] } & { assets: Asset[]; total: number }>(path);
  const title = kinds.find(([name]) => name === kind)![1];
  useEffect(() => {
    document.title = `${title} report · Sightglass`;
  }, [title]);
  return (
    <section class="report" aria-label="Report">
      <Controls route={route} days={days} kind={kind} />
      <Heading title={title} session={session} days={isDated ? days : undefined} />
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && kind === "week" && <SummaryBody data={data} />}
      {data && kind === "maintenance" && <MaintenanceBody data={data} />}
      {data && kind === "inventory" && <InventoryBody data={data} />}
    </section>
  );
}
