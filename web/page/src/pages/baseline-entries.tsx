/* baseline-entries.tsx: the entries of one dimension: learned against learning, what to approve or reject. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post, query } from "../api";
import { useData } from "../data";
import { Empty, Problem, counted, Time, timeOf, Waiting } from "../parts";
import { linkTo, setQuery, type Route } from "../route";
import { operationWords, placeWords, plain, progressWords, valueWords } from "./baseline-words";

interface Entry {
  id: string; state: string; first_seen: string; last_seen: string; count: number; actor: string; target: string; protocol: string; known: number;
  is_settled: boolean; unit: string; verdict: string; access?: string; what: string; normal: string; operations?: string; objects?: string; is_variable?: boolean;
}
interface EntryList { entries: Entry[]; has_more: boolean }

const PAGE_SIZE = 100;
export const dimensions: [string, string, string][] = [
  ["conversations", "Conversations", "Who talks to whom, and in which protocol"],
  ["operations", "Operations", "What they do to each other"],
  ["objects", "Objects", "Which registers, points and tags are read and written"],
  ["values", "Values", "Which values variables take"],
  ["timing", "Timing", "How often things are polled"],
  ["programs", "Programs", "Program transfers, starts, stops and modes"],
];

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
      <label>Find <input type="search" defaultValue={value("q")} placeholder="tag, area, unit" onInput={typed("q")} autocomplete="off" spellcheck={false} /></label>
    </form>
  );
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

function What({ entry, isOperation }: { entry: Entry; isOperation: boolean }) {
  if (entry.operations !== undefined) return null; // a conversation is who and in which protocol
  if (entry.access === undefined) return <>{placeWords(entry.what, entry.protocol)}</>;
  if (isOperation) return <>{operationWords(entry.access, entry.what)}</>;
  const place = placeWords(entry.what, entry.protocol);
  return <>{plain(entry.access)} {entry.is_variable ? <a href={linkTo("variables", entry.id)}>{place}</a> : place}</>;
}

/** What is known of a conversation, and of what the others are about. */
function Normal({ entry, isOperation }: { entry: Entry; isOperation: boolean }) {
  if (entry.operations !== undefined && entry.state !== "learned") return <span class="rule">Nothing of it is learned until somebody approves it.</span>;
  return (
    <>
      {entry.operations && <span class="rule">Operations: {progressWords(entry.operations)}</span>}
      {entry.objects && <span class="rule">Objects: {progressWords(entry.objects)}</span>}
      {entry.normal && entry.normal !== "at most 0 writes in 10 s" && <span class="rule">{isOperation ? entry.normal !== entry.what && `code ${entry.normal}` : valueWords(entry.normal)}</span>}
    </>
  );
}

function Row({ entry, isOperation, isMarked, mark }: { entry: Entry; isOperation: boolean; isMarked: boolean; mark?: (on: boolean) => void }) {
  const words = `${entry.actor} to ${entry.target} ${entry.protocol} ${entry.access ?? ""} ${entry.what}`;
  return (
    <tr>
      {mark && <td class="mark"><input type="checkbox" checked={isMarked} aria-label={`Choose: ${words}`} onChange={(e) => mark((e.target as HTMLInputElement).checked)} /></td>}
      <td data-label="State"><State entry={entry} /></td>
      <td class="host">{entry.actor} → {entry.target}<span class="rule">{entry.protocol}{entry.unit && `, unit ${entry.unit}`}</span></td>
      <td><What entry={entry} isOperation={isOperation} /><Normal entry={entry} isOperation={isOperation} /></td>
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

export function Entries({ route, name, canDecide, onChange }: { route: Route; name: string; canDecide: boolean; onChange: () => void }) {
  const keys = ["state", "host", "protocol", "q"];
  const values: Record<string, string> = { since: timeOf(route.query.get("since") ?? "") };
  for (const key of keys) values[key] = route.query.get(key) ?? "";
  const isOperation = name === "operations" || name === "programs";
  const isFiltered = Object.values(values).some(Boolean);
  const path = `/api/v1/baseline/${name}` + query({ ...values, limit: PAGE_SIZE });
  const { data, error, isLoading, reload } = useData<EntryList>(path);
  const [more, setMore] = useState<Entry[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [failed, setFailed] = useState<Error>();
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const [done, setDone] = useState("");
  useEffect(() => { setMore([]); setMarked(new Set()); }, [path]);
  useEffect(() => { if (data) setHasMore(data.has_more); }, [data]);
  const entries = [...(data?.entries ?? []), ...more];
  const mark = (id: string) => (on: boolean) => setMarked((before) => { const next = new Set(before); if (on) next.add(id); else next.delete(id); return next; });
  const showMore = () => get<EntryList>(`/api/v1/baseline/${name}` + query({ ...values, limit: PAGE_SIZE, skip: entries.length })).then(
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
          <thead><tr>{canDecide && <th scope="col"><span class="hidden">Choose</span></th>}<th scope="col">State</th><th scope="col">Who</th><th scope="col">What</th><th scope="col" class="count">Count</th><th scope="col">First seen</th><th scope="col">Last seen</th></tr></thead>
          <tbody>{entries.map((e) => <Row key={e.id} entry={e} isOperation={isOperation} isMarked={marked.has(e.id)} mark={canDecide ? mark(e.id) : undefined} />)}</tbody>
        </table>
      )}
      {hasMore && <button type="button" class="more" onClick={() => void showMore()}>Show older entries</button>}
    </section>
  );
}
