/* alerts.tsx: the list of alerts, and one alert beside it. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, may, post, query, type ApiError } from "../api";
import { useData } from "../data";
import { Empty, Problem, Severity, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";
import { AlertDetail } from "./alert";

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
  const fields: [string, string, string][] = [["q", "Find", "words of the message"], ["host", "Host", "IP or MAC"], ["rule", "Type", "plc or plc.stop"], ["protocol", "Protocol", "s7comm"]];
  return (
    <form class="filters" role="search" aria-label="Filter alerts" onSubmit={(e) => e.preventDefault()}>
      <label>Severity
        <select value={value("severity") || "1"} onChange={chosen("severity")}>
          <option value="1">all</option><option value="3">low and above</option><option value="5">medium and above</option>
          <option value="7">high and above</option><option value="9">critical</option>
        </select>
      </label>
      <label>State
        <select value={value("triage") || "open"} onChange={chosen("triage")}>
          <option value="open">open</option><option value="new">new</option><option value="acknowledged">acknowledged</option>
          <option value="closed">closed</option><option value="all">all</option>
        </select>
      </label>
      {fields.map(([key, label, hint]) => (
        <label key={key}>{label} <input type="search" defaultValue={value(key)} placeholder={hint} onInput={typed(key)} autocomplete="off" spellcheck={false} /></label>
      ))}
      {value("incident") && <button type="button" onClick={() => setQuery(route, "incident", "")}>One story only ✕</button>}
    </form>
  );
}

function BulkBar({ ids, onDone, onError }: { ids: string[]; onDone: () => void; onError: (e: Error) => void }) {
  const work = (state: string) => post("/api/v1/alerts/triage", { ids, state }).then(onDone, onError);
  return (
    <p class="bulk" role="group" aria-label="Work on the chosen alerts">
      {ids.length} chosen <button type="button" onClick={() => void work("acknowledged")}>Acknowledge</button>{" "}
      <button type="button" onClick={() => void work("closed")}>Close</button>
    </p>
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
        <span class="rule">{alert.rule_name} · {alert.rule}{alert.triage !== "new" && ` · ${alert.triage}`}{alert.assignee && ` · ${alert.assignee}`}</span>
      </td>
      <td class="count" data-label="Count">{alert.count}</td>
      <td class="when" data-label="Last seen"><Time value={alert.last_seen} /></td>
    </tr>
  );
}

/** Up and down, or j and k, go through the list; Escape closes the alert. */
function useKeys(alerts: AlertLine[], route: Route, dismiss: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, select, textarea, dialog")) return;
      if (event.key === "Escape" && route.rest) dismiss();
      const step = event.key === "j" ? 1 : event.key === "k" ? -1 : 0;
      if (!step || alerts.length === 0) return;
      event.preventDefault();
      const at = alerts.findIndex((a) => a.id === route.rest);
      const next = alerts[at < 0 ? 0 : Math.min(Math.max(at + step, 0), alerts.length - 1)];
      if (next) location.hash = linkTo("alerts", next.id, route.query);
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [alerts, route, dismiss]);
}

export function Alerts({ route, session, news }: PageProps) {
  const filter = useMemo(() => filterOf(route), [route]);
  const path = "/api/v1/alerts" + query({ ...filter, limit: PAGE_SIZE });
  const first = useData<AlertList>(path);
  const [more, setMore] = useState<AlertLine[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [error, setError] = useState<Error>();
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const seen = useRef<Set<string>>();
  const isAnalyst = may(session.role, "analyst") && session.has_users;

  useEffect(() => {
    setMore([]);
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

  const dismiss = () => { location.hash = linkTo("alerts", "", route.query); };
  useKeys(alerts, route, dismiss);

  async function showMore() {
    try {
      const next = await get<AlertList>("/api/v1/alerts" + query({ ...filter, limit: PAGE_SIZE, skip: alerts.length }));
      setMore((before) => [...before, ...next.alerts]);
      setHasMore(next.has_more);
    } catch (e) {
      setError(e as ApiError);
    }
  }
  const changed = () => { setMarked(new Set()); first.reload(); };
  const mark = (id: string) => (on: boolean) => setMarked((before) => { const next = new Set(before); if (on) next.add(id); else next.delete(id); return next; });

  return (
    <div class={`split ${route.rest ? "has-detail" : ""}`}>
      <section class="list" aria-labelledby="alerts-title">
        <div class="bar"><h1 id="alerts-title">Alerts</h1><a href={linkTo("muted")}>Muted</a><Filters key={route.query.get("incident") ?? ""} route={route} /></div>
        {(first.error || error) && <Problem error={(first.error ?? error)!} retry={() => { setError(undefined); first.reload(); }} />}
        {marked.size > 0 && <BulkBar ids={[...marked]} onDone={changed} onError={setError} />}
        {!first.data && first.isLoading && <Waiting />}
        {first.data && alerts.length === 0 && <Empty>{first.data.total > 0 ? "No alert fits these filters." : "No alerts. Nothing unusual was seen, or the sensor is still learning."}</Empty>}
        {alerts.length > 0 && (
          <table class="alerts cards">
            <thead><tr>{isAnalyst && <th scope="col"><span class="hidden">Choose</span></th>}<th scope="col">Severity</th><th scope="col">What happened</th><th scope="col" class="count">Count</th><th scope="col">Last seen</th></tr></thead>
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
      {route.rest && <AlertDetail key={route.rest} id={route.rest} session={session} news={news} back={linkTo("alerts", "", route.query)} onChange={changed} />}
    </div>
  );
}
