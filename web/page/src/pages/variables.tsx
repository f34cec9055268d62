/* variables.tsx: the variables that somebody writes, and the values of one of them against what was learned. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, query } from "../api";
import { useData } from "../data";
import { counted, Empty, Problem, Span, Time, timeOf, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";
import { placeWords, valueWords } from "./baseline-words";

interface Variable {
  id: string; state: string; first_seen: string; last_seen: string; writer: string; target: string; protocol: string; unit: string; what: string;
  normal: string; low: number | null; high: number | null; states: { value: number; count: number }[]; observations: number;
}
interface List { variables: Variable[]; has_more: boolean }
interface Value { time: string; last: string; value: number; count: number }
interface One { variable: Variable; values: Value[]; is_cut: boolean; from: string | null; to: string | null }

const PAGE_SIZE = 100, SHOWN_MAX = 500;

function Filters({ route }: { route: Route }) {
  const timer = useRef<number>();
  const typed = (key: string) => (event: Event) => {
    const text = (event.target as HTMLInputElement).value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery(route, key, text.trim()), 250);
  };
  const fields: [string, string, string][] = [["q", "Find", "tag or address"], ["host", "Host", "IP or MAC"], ["protocol", "Protocol", "modbus"]];
  return (
    <form class="filters" role="search" aria-label="Filter variables" onSubmit={(e) => e.preventDefault()}>
      {fields.map(([key, label, hint]) => (
        <label key={key}>{label} <input type="search" defaultValue={route.query.get(key) ?? ""} placeholder={hint} onInput={typed(key)} autocomplete="off" spellcheck={false} /></label>
      ))}
    </form>
  );
}

function Chart({ one }: { one: One }) {
  const into = useRef<HTMLDivElement>(null);
  const [error, setError] = useState<Error>();
  const v = one.variable;
  useEffect(() => {
    let isGone = false, takeAway = () => {};
    import("../chart").then(({ drawChart }) => {
      if (isGone || !into.current) return;
      const dots = one.values.flatMap((value) => {
        const first = { time: Date.parse(value.time), value: value.value };
        return value.last === value.time ? [first] : [first, { time: Date.parse(value.last), value: value.value }];
      });
      takeAway = drawChart(into.current, dots, { low: v.low, high: v.high, states: v.states.map((s) => s.value) });
    }, () => setError(new Error("The chart could not be loaded.")));
    return () => { isGone = true; takeAway(); };
  }, [one]);
  const label = `Chart: ${one.values.length} values of ${placeWords(v.what, v.protocol)}; normal is ${valueWords(v.normal)}`;
  return <>{error && <Problem error={error} />}<div class="chart" ref={into} role="img" aria-label={label} /></>;
}

function Values({ one }: { one: One }) {
  const newest = [...one.values].reverse().slice(0, SHOWN_MAX);
  return (
    <details><summary>As a table{one.values.length > SHOWN_MAX && `, the newest ${SHOWN_MAX}`}</summary>
      <table class="values">
        <thead><tr><th scope="col" class="count">Value</th><th scope="col" class="count">Times</th><th scope="col">First</th><th scope="col">Last</th></tr></thead>
        <tbody>{newest.map((value, i) => <tr key={i}><td class="count" data-label="Value">{value.value}</td><td class="count" data-label="Times">{value.count}</td><td data-label="First"><Time value={value.time} /></td><td data-label="Last"><Time value={value.last} /></td></tr>)}</tbody>
      </table>
    </details>
  );
}

function Detail({ id, route }: { id: string; route: Route }) {
  const from = timeOf(route.query.get("from") ?? ""), to = timeOf(route.query.get("to") ?? "");
  const { data, error, isLoading, reload } = useData<One>(`/api/v1/variables/${encodeURIComponent(id)}` + query({ from, to }));
  const self = useRef<HTMLElement>(null);
  useEffect(() => self.current?.focus({ preventScroll: innerWidth >= 1100 }), []);
  const v = data?.variable;
  const list = new URLSearchParams(route.query);
  list.delete("from");
  list.delete("to");
  return (
    <article class="detail" ref={self} tabIndex={-1} aria-label="The chosen variable">
      <a class="back" href={linkTo("variables", "", list)}>← All variables</a>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && v && (
        <>
          <h2>{placeWords(v.what, v.protocol)}</h2>
          <dl>
            <dt>Written by</dt><dd>{v.writer}</dd><dt>In</dt><dd>{v.target}{v.unit && `, unit ${v.unit}`} ({v.protocol})</dd>
            <dt>Normal</dt><dd>{v.observations ? valueWords(v.normal) : "not learned: it was first written after learning"}</dd>
            <dt>{v.observations ? "Learned from" : "Written"}</dt><dd>{v.observations > 0 && `${counted(v.observations, "value")}, `}<Span from={v.first_seen} to={v.last_seen} /></dd>
            <dt>State</dt><dd>{v.state === "pending" ? <a href={linkTo("baseline", "values", { state: "pending" })}>to decide</a> : v.state}</dd>
          </dl>
          <form class="filters" aria-label="Time of the chart" onSubmit={(e) => e.preventDefault()}>
            <label>From <input type="datetime-local" defaultValue={route.query.get("from") ?? ""} onChange={(e) => setQuery(route, "from", (e.target as HTMLInputElement).value)} /></label>
            <label>To <input type="datetime-local" defaultValue={route.query.get("to") ?? ""} onChange={(e) => setQuery(route, "to", (e.target as HTMLInputElement).value)} /></label>
          </form>
          {data.values.length > 0 ? <Chart one={data} /> : <Empty>The store keeps no values of this variable{(from || to) && " from that time"}: only the band above is known. Values come from the event history (retention.history_days).</Empty>}
          {data.values.length > 0 && <p class="soft">Shaded or lined: what is normal; red: outside of it. Equal values within ten minutes are one dot at their first and one at their last time.{data.is_cut && " There is more than one chart shows: choose an earlier time to see it."}</p>}
          {data.values.length > 0 && <Values one={data} />}
        </>
      )}
    </article>
  );
}

function Row({ variable: v, isChosen, link }: { variable: Variable; isChosen: boolean; link: string }) {
  return (
    <tr class={isChosen ? "is-chosen" : ""}>
      <td><a href={link} aria-current={isChosen ? "true" : undefined}>{placeWords(v.what, v.protocol)}</a><span class="rule">{v.target}{v.unit && `, unit ${v.unit}`}, {v.protocol}<span class="beside">, by {v.writer}</span></span></td>
      <td class="host extra" data-label="Writer">{v.writer}</td>
      <td data-label="Normal">{valueWords(v.normal)}{v.state !== "learned" && <span class="rule">{v.state === "pending" ? "to decide" : v.state}</span>}</td>
      <td class="count extra" data-label="Values">{v.observations.toLocaleString()}</td>
      <td class="when" data-label="Last written"><Time value={v.last_seen} /></td>
    </tr>
  );
}

export function Variables({ route }: PageProps) {
  const filter = { q: route.query.get("q") ?? "", host: route.query.get("host") ?? "", protocol: route.query.get("protocol") ?? "" };
  const path = "/api/v1/variables" + query({ ...filter, limit: PAGE_SIZE });
  const { data, error, isLoading, reload } = useData<List>(path);
  const [more, setMore] = useState<Variable[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [failed, setFailed] = useState<Error>();
  useEffect(() => setMore([]), [path]);
  useEffect(() => { if (data) setHasMore(data.has_more); }, [data]);
  const variables = [...(data?.variables ?? []), ...more];
  const showMore = () => get<List>("/api/v1/variables" + query({ ...filter, limit: PAGE_SIZE, skip: variables.length })).then(
    (next) => { setMore((before) => [...before, ...next.variables]); setHasMore(next.has_more); }, setFailed);
  return (
    <div class={`split ${route.rest ? "has-detail" : ""}`}>
      <section class="list" aria-labelledby="variables-title">
        <div class="bar"><h1 id="variables-title">Variables</h1><Filters route={route} /></div>
        {(error || failed) && <Problem error={(error ?? failed)!} retry={() => { setFailed(undefined); reload(); }} />}
        {!data && isLoading && <Waiting />}
        {data && variables.length === 0 && <Empty>{Object.values(filter).some(Boolean) ? "No variable fits these filters." : "No variable has been written yet. Set points and commands appear here as soon as somebody writes them."}</Empty>}
        {variables.length > 0 && (
          <table class="variables cards">
            <thead><tr><th scope="col">Variable</th><th scope="col" class="extra">Writer</th><th scope="col">Normal values</th><th scope="col" class="count extra">Values</th><th scope="col">Last written</th></tr></thead>
            <tbody>{variables.map((v) => <Row key={v.id} variable={v} isChosen={v.id === route.rest} link={linkTo("variables", v.id, route.query)} />)}</tbody>
          </table>
        )}
        {hasMore && <button type="button" class="more" onClick={() => void showMore()}>Show more variables</button>}
      </section>
      {route.rest && <Detail key={route.rest} id={route.rest} route={route} />}
    </div>
  );
}
