/* alerts.tsx: the list of alerts, and one alert beside it. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, may, post, query, type ApiError } from "../api";
import { useData } from "../data";
import { Empty, Problem, counted, Severity, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";
import { AlertDetail } from "./alert";
import { Keys, type KeyWork } from "./alert-keys";

export interface AlertLine {
  sensor: string; id: string; revision: number; rule: string; rule_name: string; severity: number; first_seen: string; last_seen: string;
  count: number; status: string; protocol: string; source: string; destination: string; message: string; incident: string; triage: string; assignee: string;
}

interface AlertList { alerts: AlertLine[]; has_more: boolean; total: number }

const PAGE_SIZE = 100;
const filters = ["severity", "triage", "rule", "protocol", "host", "assignee", "incident", "from", "to", "q"];

function filterOf(route: Route): Record<string, string> {
  const values: Record<string, string> = {};
  for (const key of filters) values[key] = route.query.get(key) ?? (key === "triage" ? "open" : "");
  if (values.triage === "all") values.triage = "";
  return values;
}

function Filters({ route }: { route: Route }) {
  const value = (key: string) => route.query.get(key) ?? "";
  const timer = useRef<number>();
  const typed = (key: string) => (event: Event) => {
    const text = (event.target as HTMLInputElement).value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery(route, key, text.trim()), 250);
  };
  const chosen = (key: string) => (event: Event) => setQuery(route, key, (event.target as HTMLSelectElement).value);
  const fields: [string, string, string][] = [["q", "Find", "words"], ["host", "Host", "IP or MAC"], ["rule", "Type", "plc or plc.stop"], ["protocol", "Protocol", "s7comm"]];
  return (
    <form class="filters" role="search" aria-label="Filter alerts" onSubmit={(e) => e.preventDefault()}>
      <label>Severity{" "}
        <select value={value("severity") || "1"} onChange={chosen("severity")}>
          <option value="1">all</option><option value="3">from low</option><option value="5">from medium</option>
          <option value="7">from high</option><option value="9">critical</option>
        </select>
      </label>
      <label>State{" "}
        <select value={value("triage") || "open"} onChange={chosen("triage")}>
          <option value="open">open</option><option value="new">new</option><option value="acknowledged">acknowledged</option>
          <option value="closed">closed</option><option value="all">all</option>
        </select>
      </label>
      {fields.map(([key, label, hint]) => (
        <label key={key}>{label} <input type="search" defaultValue={value(key)} placeholder={hint} class={key === "rule" ? "long" : undefined} onInput={typed(key)} autocomplete="off" spellcheck={false} /></label>
      ))}
      {value("incident") && <button type="button" onClick={() => setQuery(route, "incident", "")}>One story only ✕</button>}
    </form>
  );
}

/** One note and one click for all that are chosen. */
function BulkBar({ ids, user, onDone, onError }: { ids: string[]; user?: string; onDone: (words: string) => void; onError: (e: Error) => void }) {
  const [note, setNote] = useState("");
  const send = (words: string, change: { state?: string; assignee?: string }) =>
    void workOn(ids, { note, ...change }).then(() => onDone(`${counted(ids.length, "alert")} ${words}.`), onError);
  return (
    <div class="bulk filters" role="group" aria-label="Work on the chosen alerts">
      <span>{ids.length} chosen</span>
      <label>Note <input value={note} maxLength={2000} autocomplete="off" onInput={(e) => setNote((e.target as HTMLInputElement).value)} /></label>
      <button type="button" onClick={() => send("acknowledged", { state: "acknowledged" })}>Acknowledge</button>
      <button type="button" class="primary" onClick={() => send("closed", { state: "closed" })}>Close</button>
      <button type="button" onClick={() => send("assigned to you", { assignee: user })}>Assign to me</button>
    </div>
  );
}

function Row({ alert, isChosen, isNew, isMarked, link, mark }: {
  alert: AlertLine; isChosen: boolean; isNew: boolean; isMarked: boolean; link: string; mark?: (on: boolean) => void;
}) {
  return (
    <tr class={`${isChosen ? "is-chosen" : ""} ${isNew ? "is-new" : ""}`} data-id={alert.id}>
      {mark && (
        <td class="mark"><input type="checkbox" checked={isMarked} aria-label={`Choose: ${alert.message}`} onChange={(e) => mark((e.target as HTMLInputElement).checked)} /></td>
      )}
      <td><Severity value={alert.severity} /></td>
      <td>
        <a href={link} aria-current={isChosen ? "true" : undefined}>{alert.message}</a>
        <span class="rule">{alert.rule_name} · <span class="nobr">{alert.rule}</span>{alert.triage !== "new" && ` · ${alert.triage}`}{alert.assignee && ` · ${alert.assignee}`}</span>
      </td>
      <td class="count extra" data-label="Count">{alert.count.toLocaleString()}</td>
      <td class="when" data-label="Last seen"><Time value={alert.last_seen} /></td>
    </tr>
  );
}

const workOn = (ids: string[], change: { state?: string; assignee?: string; note?: string }) => post("/api/v1/alerts/triage", { ids, ...change });

/** Where the open alert stands in the list; when it has left the list, where it stood. */
function usePlace(alerts: AlertLine[], id: string): { index: number; isListed: boolean } {
  const last = useRef(-1);
  const found = alerts.findIndex((a) => a.id === id);
  if (found >= 0) last.current = found;
  return { index: last.current, isListed: found >= 0 };
}

/** The row of the open alert is in sight; when it is closed again, the keyboard is back on its row. */
function useRowInSight(id: string): void {
  const before = useRef("");
  useEffect(() => {
    const row = (of: string) => (of ? document.querySelector(`tr[data-id="${CSS.escape(of)}"]`) : null);
    if (id) row(id)?.scrollIntoView({ block: "nearest" });
    else if (before.current) (row(before.current)?.querySelector("a") ?? document.getElementById("alerts-title"))?.focus();
    before.current = id;
  }, [id]);
}

export function Alerts({ route, session, news }: PageProps) {
  const filter = useMemo(() => filterOf(route), [route]);
  const path = "/api/v1/alerts" + query({ ...filter, limit: PAGE_SIZE });
  const first = useData<AlertList>(path);
  const [more, setMore] = useState<AlertLine[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [error, setError] = useState<Error>();
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const [done, setDone] = useState("");
  const [turn, setTurn] = useState(0); // of the open alert: it changed by a key
  const seen = useRef<Set<string>>();
  const isAnalyst = may(session.role, "analyst") && session.has_users;

  useEffect(() => {
    setMore([]);
    setDone("");
    setMarked(new Set());
    seen.current = undefined;
  }, [path]);
  useEffect(() => {
    if (first.data) setHasMore(first.data.has_more);
  }, [first.data]);
  useEffect(() => {
    if (news?.name === "alerts") first.reload();
  }, [news]);

  const alerts = useMemo(() => {
    const lines = new Map<string, AlertLine>();
    for (const line of [...(first.data?.alerts ?? []), ...more]) if (!lines.has(line.id)) lines.set(line.id, line);
    return [...lines.values()];
  }, [first.data, more]);
  const fresh = new Set(seen.current ? alerts.filter((a) => !seen.current!.has(a.id)).map((a) => a.id) : []);
  useEffect(() => {
    if (first.data) seen.current = new Set(alerts.map((a) => a.id));
  }, [alerts]);

  async function showMore() {
    try {
      const next = await get<AlertList>("/api/v1/alerts" + query({ ...filter, limit: PAGE_SIZE, skip: alerts.length }));
      setMore((before) => [...before, ...next.alerts]);
      setHasMore(next.has_more);
    } catch (e) {
      setError(e as ApiError);
    }
  }
  const changed = () => { setMarked(new Set()); setError(undefined); first.reload(); };
  const worked = (words: string) => { setDone(words); changed(); document.getElementById("alerts-title")?.focus(); };
  const place = usePlace(alerts, route.rest);
  useRowInSight(route.rest);
  const ids = marked.size > 0 ? [...marked] : route.rest ? [route.rest] : [];
  const byKey = (state: string) => { if (ids.length > 0) workOn(ids, { state }).then(() => { setDone(`${counted(ids.length, "alert")} ${state}.`); changed(); setTurn((n) => n + 1); }, setError); };
  const keys: KeyWork = {
    step: (by) => {
      const next = alerts[Math.min(Math.max(place.isListed ? place.index + by : by > 0 ? Math.max(place.index, 0) : place.index - 1, 0), alerts.length - 1)];
      if (next) location.hash = linkTo("alerts", next.id, route.query);
    },
    dismiss: () => { if (route.rest) location.hash = linkTo("alerts", "", route.query); },
    ...(isAnalyst && { choose: () => { if (place.isListed && route.rest) mark(route.rest)(!marked.has(route.rest)); }, acknowledge: () => byKey("acknowledged"), close: () => byKey("closed") }),
  };
  const mark = (id: string) => (on: boolean) => setMarked((before) => { const next = new Set(before); if (on) next.add(id); else next.delete(id); return next; });

  return (
    <div class={`split ${route.rest ? "has-detail" : ""}`}>
      <section class="list" aria-labelledby="alerts-title">
        <div class="bar"><h1 id="alerts-title" tabIndex={-1}>Alerts</h1><p class="buttons"><Keys work={keys} /><a class="button" href={linkTo("muted")}>Muted</a></p><Filters key={route.query.get("incident") ?? ""} route={route} /></div>
        {(first.error || error) && <Problem error={(first.error ?? error)!} retry={() => { setError(undefined); first.reload(); }} />}
        {done && <p class="notice" role="status">{done}</p>}
        {marked.size > 0 && <BulkBar ids={[...marked]} user={session.user} onDone={worked} onError={setError} />}
        {!first.data && first.isLoading && <Waiting />}
        {first.data && alerts.length === 0 && <Empty>{first.data.total > 0 ? "No alert fits these filters." : "No alerts. Nothing unusual was seen, or the sensor is still learning."}</Empty>}
        {alerts.length > 0 && (
          <table class="alerts cards">
            <thead><tr>{isAnalyst && <th scope="col"><input type="checkbox" aria-label="Choose all that are shown" checked={alerts.every((a) => marked.has(a.id))} onChange={(e) => setMarked(new Set((e.target as HTMLInputElement).checked ? alerts.map((a) => a.id) : []))} /></th>}<th scope="col">Severity</th><th scope="col">What happened</th><th scope="col" class="count extra">Count</th><th scope="col">Last seen</th></tr></thead>
            <tbody>
              {alerts.map((alert) => (
                <Row key={alert.id} alert={alert} isChosen={alert.id === route.rest} isNew={fresh.has(alert.id)} isMarked={marked.has(alert.id)}
                  link={linkTo("alerts", alert.id, route.query)} mark={isAnalyst ? mark(alert.id) : undefined} />
              ))}
            </tbody>
          </table>
        )}
        {hasMore && <button type="button" class="more" onClick={() => void showMore()}>Show older alerts</button>}
      </section>
      {route.rest && <AlertDetail key={route.rest} id={route.rest} turn={turn} session={session} news={news} back={linkTo("alerts", "", route.query)} onChange={changed} />}
    </div>
  );
}
