/* baseline.tsx: what is normal, dimension by dimension: learned against learning, what to approve or reject, who writes to
 * whom, what people decided, and what changed since a date. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, may, post, query } from "../api";
import { useData } from "../data";
import { Empty, Problem, counted, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";

interface Counts { learned: number; pending: number; rejected: number }
interface Summary {
  sensor: string; settle_minutes: number; dimensions: Record<string, Counts>; pairs: { why: string; known: number; is_settled: boolean }[];
  progress: { conversations: number; operations_settled: number; objects_settled: number; operations_known: number; objects_known: number };
}
interface Entry {
  id: string; state: string; first_seen: string; last_seen: string; count: number; actor: string; target: string; protocol: string; known: number;
  is_settled: boolean; unit: string; verdict: string; access?: string; what: string; normal: string; operations?: string; objects?: string; is_variable?: boolean;
}
interface Entries { entries: Entry[]; has_more: boolean }

const PAGE_SIZE = 100;
const dimensions: [string, string, string][] = [
  ["conversations", "Conversations", "Who talks to whom, and in which protocol"],
  ["operations", "Operations", "What they do to each other"],
  ["objects", "Objects", "Which registers, points and tags are read and written"],
  ["values", "Values", "Which values variables take"],
  ["timing", "Timing", "How often things are polled"],
  ["programs", "Programs", "Program transfers, starts, stops and modes"],
];
const views: [string, string][] = [...dimensions.map(([name, title]): [string, string] => [name, title]), ["writers", "Who writes to whom"], ["decisions", "Decisions"]];

function Meter({ value, label }: { value: number; label: string }) {
  return (
    <p class="meter">
      <span>{label}</span> <progress max={100} value={value} aria-label={label} /> <span class="number">{value} %</span>
    </p>
  );
}

/** The sensor's note on how far something is: "settled 99 % known: nothing new for 17 > 10 min". */
const progressWords = (note: string) =>
  note.replace(/^(settled|learning) (\d+ % known)/, "$1, $2").replace(/nothing new for (\d+) > (\d+) min/, "nothing new for $1 min, $2 were enough");

function Progress({ summary }: { summary: Summary }) {
  const p = summary.progress;
  return (
    <section class="card progress" aria-labelledby="progress-title">
      <h2 id="progress-title">How far learning has come</h2>
      {summary.pairs.map((pair, i) => <Meter key={i} value={pair.known} label={`Who talks to whom: ${progressWords(pair.why)}`} />)}
      {p.conversations > 0 && (
        <>
          <Meter value={p.operations_known} label={`Operations: settled in ${p.operations_settled} of ${counted(p.conversations, "conversation")}`} />
          <Meter value={p.objects_known} label={`Objects and values: settled in ${p.objects_settled} of ${counted(p.conversations, "conversation")}`} />
        </>
      )}
      <p class="soft">The percentage is how much of what can come is known. What has not settled is still learned in silence; after it has settled, news is an alert. A dimension settles after {summary.settle_minutes} minutes at the earliest.</p>
    </section>
  );
}

function Tabs({ route, summary }: { route: Route; summary?: Summary }) {
  const current = route.rest || "conversations";
  return (
    <nav class="tabs" aria-label="Dimensions of the baseline">
      {views.map(([name, title]) => {
        const counts = summary?.dimensions[name];
        return (
          <a key={name} href={linkTo("baseline", name)} aria-current={name === current ? "page" : undefined}>
            {title}{counts && <span class="number"> {(counts.learned + counts.pending + counts.rejected).toLocaleString()}</span>}
            {counts && counts.pending > 0 && <>{" "}<span class="badge medium">{counts.pending.toLocaleString()} to decide</span></>}
          </a>
        );
      })}
    </nav>
  );
}

function Filters({ route }: { route: Route }) {
  const timer = useRef<number>();
  const value = (key: string) => route.query.get(key) ?? "";
  const typed = (key: string) => (event: Event) => {
    const text = (event.target as HTMLInputElement).value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery(route, key, text.trim()), 250);
  };
  return (
    <form class="filters" role="search" aria-label="Filter entries" onSubmit={(e) => e.preventDefault()}>
      <label>State{" "}
        <select value={value("state")} onChange={(e) => setQuery(route, "state", (e.target as HTMLSelectElement).value)}>
          <option value="">all</option><option value="pending">to decide</option><option value="learned">learned</option><option value="rejected">rejected</option>
        </select>
      </label>
      <label>New since <input type="datetime-local" defaultValue={value("since")} onChange={(e) => setQuery(route, "since", (e.target as HTMLInputElement).value)} /></label>
      <label>Host <input type="search" defaultValue={value("host")} placeholder="IP or MAC" onInput={typed("host")} autocomplete="off" spellcheck={false} /></label>
      <label>Protocol <input type="search" defaultValue={value("protocol")} placeholder="modbus" onInput={typed("protocol")} autocomplete="off" spellcheck={false} /></label>
      <label>Find <input type="search" defaultValue={value("q")} placeholder="name, area, unit" onInput={typed("q")} autocomplete="off" spellcheck={false} /></label>
    </form>
  );
}

/** The reader's local time of an input as the API wants it; "" when it is none. */
export function timeOf(local: string): string {
  const time = new Date(local);
  return local && !Number.isNaN(time.getTime()) ? time.toISOString() : "";
}

const states: Record<string, [string, string]> = { learned: ["learned", "good"], pending: ["to decide", "medium"], rejected: ["rejected", "critical"] };

function State({ entry }: { entry: Entry }) {
  const [name, colour] = states[entry.state] ?? [entry.state, "info"];
  const waits = (entry.verdict === "approve" && entry.state !== "learned") || (entry.verdict === "reject" && entry.state !== "rejected");
  return (
    <>
      <span class={`badge ${colour}`}>{name}</span>
      {waits && <span class="rule">{entry.verdict === "approve" ? "approved" : "rejected"}; the sensor takes it over while it runs</span>}
      {entry.known > 0 && !entry.operations && <span class="rule">{entry.is_settled ? "settled" : "still learning"}, {entry.known} % known</span>}
    </>
  );
}

function Row({ entry, isMarked, mark }: { entry: Entry; isMarked: boolean; mark?: (on: boolean) => void }) {
  const words = `${entry.actor} to ${entry.target} ${entry.protocol} ${entry.access ?? ""} ${entry.what}`;
  return (
    <tr>
      {mark && <td class="mark"><input type="checkbox" checked={isMarked} aria-label={`Choose: ${words}`} onChange={(e) => mark((e.target as HTMLInputElement).checked)} /></td>}
      <td data-label="State"><State entry={entry} /></td>
      <td class="host">{entry.actor} → {entry.target}<span class="rule">{entry.protocol}{entry.unit && `, unit ${entry.unit}`}</span></td>
      <td>
        {entry.access && <>{entry.access} </>}{entry.operations ? "" : entry.is_variable ? <a href={linkTo("variables", entry.id)}>{entry.what}</a> : entry.what}
        {entry.operations && <span class="rule">Operations: {progressWords(entry.operations)}</span>}
        {entry.objects && <span class="rule">Objects: {progressWords(entry.objects)}</span>}
        {entry.normal && entry.normal !== "at most 0 writes in 10 s" && <span class="rule">{entry.normal}</span>}
      </td>
      <td class="count" data-label="Count">{entry.count.toLocaleString()}</td>
      <td class="when" data-label="First seen"><Time value={entry.first_seen} /></td>
      <td class="when" data-label="Last seen"><Time value={entry.last_seen} /></td>
    </tr>
  );
}

function Decide({ ids, onDone }: { ids: string[]; onDone: (words: string) => void }) {
  const [why, setWhy] = useState("");
  const [error, setError] = useState<Error>();
  const send = (verdict: string) =>
    post<{ decided: number }>("/api/v1/baseline/decisions", { verdict, why, entries: ids }).then(
      (a) => onDone(`${counted(a.decided, "entry", "entries")} ${verdict === "approve" ? "approved" : "rejected"}. A running sensor takes it over within a second.`), setError);
  return (
    <form class="bulk filters" aria-label="Decide about the chosen entries" onSubmit={(e) => { e.preventDefault(); void send("approve"); }}>
      <span>{ids.length} chosen</span>
      <label>Why <input value={why} required maxLength={150} placeholder="change ticket, agreed practice" onInput={(e) => setWhy((e.target as HTMLInputElement).value)} /></label>
      <button type="submit" class="primary" disabled={!why.trim()}>This is normal: approve</button>
      <button type="button" class="danger" disabled={!why.trim()} onClick={() => void send("reject")}>Reject: always tell</button>
      {error && <Problem error={error} />}
    </form>
  );
}

function Dimension({ route, name, canDecide, onChange }: { route: Route; name: string; canDecide: boolean; onChange: () => void }) {
  const keys = ["state", "host", "protocol", "q"];
  const values: Record<string, string> = { since: timeOf(route.query.get("since") ?? "") };
  for (const key of keys) values[key] = route.query.get(key) ?? "";
  const isFiltered = Object.values(values).some(Boolean);
  const path = `/api/v1/baseline/${name}` + query({ ...values, limit: PAGE_SIZE });
  const { data, error, isLoading, reload } = useData<Entries>(path);
  const [more, setMore] = useState<Entry[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [failed, setFailed] = useState<Error>();
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const [done, setDone] = useState("");
  useEffect(() => { setMore([]); setMarked(new Set()); }, [path]);
  useEffect(() => { if (data) setHasMore(data.has_more); }, [data]);
  const entries = [...(data?.entries ?? []), ...more];
  const mark = (id: string) => (on: boolean) => setMarked((before) => { const next = new Set(before); if (on) next.add(id); else next.delete(id); return next; });
  const showMore = () => get<Entries>(`/api/v1/baseline/${name}` + query({ ...values, limit: PAGE_SIZE, skip: entries.length })).then(
    (next) => { setMore((before) => [...before, ...next.entries]); setHasMore(next.has_more); }, setFailed);
  const decided = (words: string) => { setMarked(new Set()); setMore([]); setDone(words); reload(); onChange(); };
  return (
    <section aria-label={name}>
      <p class="soft">{dimensions.find(([n]) => n === name)?.[2]}. Newest first.</p>
      <Filters key={name} route={route} />
      {(error || failed) && <Problem error={(error ?? failed)!} retry={() => { setFailed(undefined); reload(); }} />}
      {done && <p class="notice" role="status">{done}</p>}
      {marked.size > 0 && <Decide ids={[...marked]} onDone={decided} />}
      {!data && isLoading && <Waiting />}
      {data && entries.length === 0 && <Empty>{isFiltered ? "No entry fits these filters." : name === "programs" ? "Nobody transferred a program, started or stopped a controller." : "Nothing has been learned here yet. Run the sensor on the plant's normal traffic: it learns by itself."}</Empty>}
      {entries.length > 0 && (
        <table class="entries cards">
          <thead><tr>{canDecide && <th scope="col"><span class="hidden">Choose</span></th>}<th scope="col">State</th><th scope="col">Who</th><th scope="col">What is normal</th><th scope="col" class="count">Count</th><th scope="col">First seen</th><th scope="col">Last seen</th></tr></thead>
          <tbody>{entries.map((e) => <Row key={e.id} entry={e} isMarked={marked.has(e.id)} mark={canDecide ? mark(e.id) : undefined} />)}</tbody>
        </table>
      )}
      {hasMore && <button type="button" class="more" onClick={() => void showMore()}>Show older entries</button>}
    </section>
  );
}

/* --- who writes to whom --- */

interface Write { actor: string; target: string; protocol: string; operation: string; state: string; count: number; first_seen: string; last_seen: string; is_engineering: boolean }
interface Writers { writes: Write[]; hosts: Record<string, { asset?: string; name?: string }>; total: number }

const PAIRS = 50, PAIRS_MAX = 2000;

function HostName({ host, hosts }: { host: string; hosts: Writers["hosts"] }) {
  const known = hosts[host];
  return <>{known?.asset ? <a href={linkTo("assets", known.asset)}>{host}</a> : host}{known?.name && <span class="rule">{known.name}</span>}</>;
}

function Cell({ writes }: { writes: Write[] }) {
  return (
    <ul class="plain">
      {writes.map((w) => (
        <li key={w.protocol + w.operation + w.state} title={`${w.count} times, ${w.state}`}>
          <span class={w.state === "learned" ? "" : "telling"}>{w.is_engineering ? <strong>{w.operation.replaceAll("_", " ")}</strong> : w.operation.replaceAll("_", " ")}</span>{" "}
          <span class="soft">{w.protocol}{w.state !== "learned" && `, ${w.state === "pending" ? "to decide" : w.state}`}</span>
        </li>
      ))}
    </ul>
  );
}

function WriterMatrix() {
  const [pairs, setPairs] = useState(PAIRS);
  const { data, error, isLoading, reload } = useData<Writers>("/api/v1/baseline/writers" + query({ limit: pairs }));
  const actors = [...new Set(data?.writes.map((w) => w.actor))], targets = [...new Set(data?.writes.map((w) => w.target))];
  const of = (actor: string, target: string) => data!.writes.filter((w) => w.actor === actor && w.target === target);
  return (
    <section aria-label="Who writes to whom">
      <p class="soft">Who changes, starts, stops or programs whom. Rows act, columns are acted on; engineering actions are bold.</p>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && actors.length === 0 && <Empty>Nobody has written anything yet.</Empty>}
      {data && actors.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Matrix, scrolls sideways">
          <table class="matrix">
            <thead><tr><th scope="col">Actor</th>{targets.map((t) => <th key={t} scope="col"><HostName host={t} hosts={data.hosts} /></th>)}</tr></thead>
            <tbody>
              {actors.map((a) => (
                <tr key={a}>
                  <th scope="row"><HostName host={a} hosts={data.hosts} /></th>
                  {targets.map((t) => { const writes = of(a, t); return <td key={t}>{writes.length > 0 && <Cell writes={writes} />}</td>; })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.total > pairs && <p class="soft">These are the {pairs} pairs that did most, of {data.total.toLocaleString()}.{" "}
        {pairs < PAIRS_MAX && <button type="button" onClick={() => setPairs(Math.min(2 * pairs, PAIRS_MAX))}>Show more pairs</button>}</p>}
    </section>
  );
}

/* --- decisions and changes --- */

interface Decision { id: number; made: string; until: string | null; verdict: string; entry: string; detection: string; actor: string; target: string; by: string; why: string }
interface Changes { since: string; new: Record<string, number>; changes: { time: string; by: string; what: string; why: string }[] }

function NewDecision({ onDone }: { onDone: () => void }) {
  const [error, setError] = useState<Error>();
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = event.target as HTMLFormElement, values = Object.fromEntries(new FormData(form)) as Record<string, string>;
    try {
      await post("/api/v1/baseline/decisions", { ...values, days: Number(values.days) });
      form.reset();
      setError(undefined);
      onDone();
    } catch (e) {
      setError(e as Error);
    }
  }
  return (
    <details class="approve"><summary>Decide about a device…</summary>
      <form class="filters" onSubmit={submit}>
        <label>Verdict <select name="verdict"><option value="approve">approve: this is normal</option><option value="reject">reject: always tell</option></select></label>
        <label>Type of alert <input name="detection" placeholder="rw.new-writer; empty: any" spellcheck={false} /></label>
        <label>Actor <input name="actor" placeholder="IP or MAC; empty: any" spellcheck={false} /></label>
        <label>Target <input name="target" placeholder="IP or MAC; empty: any" spellcheck={false} /></label>
        <label>Until <select name="days"><option value="1">one day</option><option value="7">a week</option><option value="90">90 days</option><option value="0">for ever</option></select></label>
        <label>Why <input name="why" required maxLength={150} placeholder="change ticket, agreed practice" /></label>
        <button type="submit">Decide</button>
        {error && <Problem error={error} />}
      </form>
    </details>
  );
}

function About({ d }: { d: Decision }) {
  if (d.entry) return <>entry <span class="mono">{d.entry}</span></>;
  return <>{d.detection || "everything"} by {d.actor || "anyone"} on {d.target || "anything"}</>;
}

function Since({ route, since }: { route: Route; since: string }) {
  const { data, error, isLoading, reload } = useData<Changes>("/api/v1/baseline/changes" + query({ since }));
  const local = route.query.get("since") ?? "";
  return (
    <section class="card" aria-labelledby="since-title">
      <h2 id="since-title">What changed since then</h2>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && <ul class="plain lines">{Object.entries(data.new).map(([name, count]) => <li key={name}>{count ? <a href={linkTo("baseline", name, { since: local })}>{count.toLocaleString()} new {name}</a> : `no new ${name}`}</li>)}</ul>}
      {data && <h3>By people</h3>}
      {data && data.changes.length === 0 && <p class="soft">Nobody changed the baseline.</p>}
      {data && <ul class="history">{data.changes.map((c, i) => <li key={i}><Time value={c.time} /> {c.by}: {c.what}{c.why && <>, “{c.why}”</>}</li>)}</ul>}
    </section>
  );
}

function Decisions({ route, canDecide, onChange }: { route: Route; canDecide: boolean; onChange: () => void }) {
  const since = timeOf(route.query.get("since") ?? "");
  const { data, error, isLoading, reload } = useData<{ decisions: Decision[] }>("/api/v1/baseline/decisions" + query({ since }));
  return (
    <section aria-label="Decisions">
      <form class="filters" aria-label="Since a date" onSubmit={(e) => e.preventDefault()}>
        <label>Since <input type="datetime-local" defaultValue={route.query.get("since") ?? ""} onChange={(e) => setQuery(route, "since", (e.target as HTMLInputElement).value)} /></label>
      </form>
      {since && <Since route={route} since={since} />}
      {!since && <p class="soft">Choose a date to see what changed since then.</p>}
      {canDecide && <NewDecision onDone={() => { reload(); onChange(); }} />}
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && data.decisions.length === 0 && <Empty>Nobody has decided anything{since && " since then"}. Approve or reject entries in the other tabs, or an alert in its detail.</Empty>}
      {data && data.decisions.length > 0 && (
        <table class="decisions cards">
          <thead><tr><th scope="col">Verdict</th><th scope="col">About</th><th scope="col">Who</th><th scope="col">Why</th><th scope="col">Made</th><th scope="col">Until</th></tr></thead>
          <tbody>
            {data.decisions.map((d) => (
              <tr key={d.id}>
                <td><span class={`badge ${d.verdict === "approve" ? "good" : "critical"}`}>{d.verdict === "approve" ? "approved" : "rejected"}</span></td>
                <td><About d={d} /></td><td data-label="By">{d.by}</td><td data-label="Why">{d.why}</td><td data-label="Made"><Time value={d.made} /></td>
                <td data-label="Until">{d.until ? <Time value={d.until} /> : "for ever"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function Baseline({ route, session }: PageProps) {
  const { data, error, reload } = useData<Summary>("/api/v1/baseline");
  const view = route.rest || "conversations";
  const canDecide = may(session.role, "engineer") && session.has_users;
  const isDimension = dimensions.some(([name]) => name === view);
  return (
    <section aria-labelledby="baseline-title">
      <div class="bar"><h1 id="baseline-title">Baseline</h1></div>
      {error && !isDimension && <Problem error={error} retry={reload} />}
      {data && isDimension && <Progress summary={data} />}
      <Tabs route={route} summary={data} />
      {isDimension && <Dimension key={view} route={route} name={view} canDecide={canDecide} onChange={reload} />}
      {view === "writers" && <WriterMatrix />}
      {view === "decisions" && <Decisions route={route} canDecide={canDecide} onChange={reload} />}
      {!isDimension && view !== "writers" && view !== "decisions" && <Problem error={new Error("There is no such dimension.")} />}
    </section>
  );
}
