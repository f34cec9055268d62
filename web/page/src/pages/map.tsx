/* map.tsx: who talks with whom, by Purdue level and zone: a drawing, and beside it the same as lists, for the keyboard and for
 * those who do not see the drawing. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useData } from "../data";
import { Empty, Problem, counted, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";
import type { Drawing } from "./map-drawing";
import { groupOf, siteOf, viewOf, type MapChoice, type MapData, type MapHost, type MapLink, type MapView } from "./map-view";

const ROWS_SHOWN = 100;
const STEPS = 200;

function Filters({ route, data, until, onUntil }: { route: Route; data: MapData; until: number; onUntil: (time: number) => void }) {
  const first = Date.parse(data.first ?? ""), last = Date.parse(data.last ?? "");
  const step = Number.isFinite(first) && last > first ? Math.round(((Math.min(until, last) - first) / (last - first)) * STEPS) : STEPS;
  return (
    <form class="filters" role="search" aria-label="Filter the map" onSubmit={(e) => e.preventDefault()}>
      <label>Protocol <select value={route.query.get("protocol") ?? ""} onChange={(e) => setQuery(route, "protocol", (e.target as HTMLSelectElement).value)}>
        <option value="">all</option>{[...new Set([...data.protocols, route.query.get("protocol") ?? ""])].filter(Boolean).sort().map((p) => <option key={p} value={p}>{p}</option>)}
      </select></label>
      <label><input type="checkbox" checked={route.query.get("new") === "1"} onChange={(e) => setQuery(route, "new", (e.target as HTMLInputElement).checked ? "1" : "")} /> Only new ones</label>
      {last > first && (
        <label class="slider">As known until <input type="range" min={0} max={STEPS} value={step} aria-valuetext={new Date(Math.min(until, last)).toLocaleString()}
          onInput={(e) => { const n = Number((e.target as HTMLInputElement).value); onUntil(n >= STEPS ? Infinity : first + ((last - first) * n) / STEPS); }} /> <Time value={new Date(Math.min(until, last)).toISOString()} /></label>
      )}
    </form>
  );
}

const NARROW = matchMedia("(max-width: 700px)");

function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const changed = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", changed);
    return () => NARROW.removeEventListener("change", changed);
  }, []);
  return isNarrow;
}

/** The drawing; its library is loaded when it is first seen. */
function Canvas({ view, marked, onChoose }: { view: MapView; marked: string[]; onChoose: (id: string) => void }) {
  const box = useRef<HTMLDivElement>(null), drawing = useRef<Drawing>(), choose = useRef(onChoose);
  const [isThere, setThere] = useState(false);
  const [error, setError] = useState<Error>();
  choose.current = onChoose;
  useEffect(() => {
    let isGone = false;
    import("./map-drawing").then(({ draw }) => {
      if (isGone || !box.current) return;
      drawing.current = draw(box.current, (id) => choose.current(id));
      setThere(true);
    }, setError);
    return () => { isGone = true; drawing.current?.end(); };
  }, []);
  useEffect(() => drawing.current?.show(view), [view, isThere]);
  useEffect(() => drawing.current?.mark(marked), [marked.join(), view, isThere]);
  return (
    <div class="map">
      {error && <Problem error={new Error("The drawing could not be loaded; the lists below show the same.")} />}
      <div class="map-box __________cytoscape_container" ref={box} aria-hidden="true" />
      <p class="buttons map-buttons" role="group" aria-label="Size of the drawing">
        <button type="button" onClick={() => drawing.current?.zoom(1.4)} aria-label="Larger">+</button>
        <button type="button" onClick={() => drawing.current?.zoom(1 / 1.4)} aria-label="Smaller">−</button>
        <button type="button" onClick={() => drawing.current?.fit()}>Whole map</button>
      </p>
    </div>
  );
}

function HostName({ host }: { host: MapHost | undefined }) {
  if (!host) return null;
  const shown = host.name === host.address ? host.name : <>{host.name} <span class="soft">{host.address}</span></>;
  return host.is_asset ? <a href={linkTo("assets", host.id)}>{shown}</a> : <>{shown}</>;
}

function Conversations({ links, hosts }: { links: MapLink[]; hosts: Map<string, MapHost> }) {
  const [count, setCount] = useState(ROWS_SHOWN);
  const ordered = useMemo(() => [...links].sort((a, b) => Number(b.is_new) - Number(a.is_new) || b.last_seen.localeCompare(a.last_seen)), [links]);
  if (ordered.length === 0) return <Empty>No conversation fits.</Empty>;
  return (
    <>
      <div class="wide" tabIndex={0} role="region" aria-label="Conversations">
        <table class="cards">
          <thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col">Protocol</th><th scope="col" class="count">Reads</th><th scope="col" class="count">Writes</th><th scope="col" class="count">Messages</th><th scope="col">First seen</th><th scope="col">State</th></tr></thead>
          <tbody>
            {ordered.slice(0, count).map((l, i) => (
              <tr key={i}>
                <td><HostName host={hosts.get(l.source)} /></td><td data-label="To"><HostName host={hosts.get(l.target)} /></td><td data-label="Protocol">{l.protocol || <span class="soft">unknown</span>}</td>
                <td class="count" data-label="Reads">{l.reads.toLocaleString()}</td><td class="count" data-label="Writes">{l.writes.toLocaleString()}</td><td class="count" data-label="Messages">{l.count.toLocaleString()}</td>
                <td data-label="First seen"><Time value={l.first_seen} /></td><td data-label="State">{l.is_new ? <strong class="state">new</strong> : <span class="soft">known</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {ordered.length > count && <button type="button" class="more" onClick={() => setCount(count + ROWS_SHOWN)}>Show more ({ordered.length - count} left)</button>}
    </>
  );
}

/** The groups and hosts of the drawing as buttons: opens a group, chooses a host. */
function Spots({ view, marked, open, onChoose }: { view: MapView; marked: string[]; open: Set<string>; onChoose: (id: string) => void }) {
  return (
    <details class="spots" open={view.isGrouped || undefined}>
      <summary>{view.isGrouped ? "Groups and hosts of the drawing" : "Hosts of the drawing"} ({view.spots.length})</summary>
      <ul>
        {[...open].filter((key) => view.hosts.some((h) => groupOf(h) === key || siteOf(h) === key)).map((key) => (
          <li key={key}><button type="button" aria-expanded="true" onClick={() => onChoose("group:" + key)}>{key.replace(/^.*\|/, "")}: close</button></li>
        ))}
        {view.spots.slice(0, 400).map((s) => (
          <li key={s.id}>
            <button type="button" aria-pressed={s.kind === "host" ? marked.includes(s.id) : undefined} aria-expanded={s.kind === "group" ? "false" : undefined} onClick={() => onChoose(s.id)}>
              {s.label.replace("\n", ", ")}{view.isGrouped && s.hosts[0]!.level && <span class="soft"> level {s.hosts[0]!.level}</span>}{s.isNew && <strong class="state"> new</strong>}{s.alerts > 0 && <span class="soft"> {s.alerts} alerts</span>}
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Legend() {
  return (
    <p class="legend soft">
      <svg width="34" height="12" aria-hidden="true"><line x1="1" y1="6" x2="33" y2="6" class="reads" /></svg> reads
      <svg width="34" height="12" aria-hidden="true"><line x1="1" y1="6" x2="33" y2="6" class="writes" /></svg> writes
      <svg width="34" height="12" aria-hidden="true"><line x1="1" y1="6" x2="33" y2="6" class="new" /></svg> new
      <span>Thicker: more messages. Thick orange edge: has alerts. Square: controller or I/O, diamond: operating or engineering.</span>
    </p>
  );
}

export function MapPage({ route }: PageProps) {
  const { data, error, isLoading, reload } = useData<MapData>("/api/v1/map");
  const [until, setUntil] = useState(Infinity);
  const [open, setOpen] = useState<Set<string>>(new Set());
  const focus = route.query.get("focus") ?? "";
  const choice: MapChoice = { protocol: route.query.get("protocol") ?? "", until, isNewOnly: route.query.get("new") === "1", open };
  const isNarrow = useNarrow();
  const view = useMemo(() => data && viewOf(data, choice, isNarrow), [isNarrow, data, choice.protocol, until, choice.isNewOnly, open]);
  const hosts = useMemo(() => new Map(data?.hosts.map((h) => [h.id, h]) ?? []), [data]);
  useEffect(() => { // what the address bar points at stands on its own
    const host = hosts.get(focus);
    if (host) setOpen((before) => new Set(before).add(groupOf(host)).add(siteOf(host)));
  }, [focus, hosts]);
  const choose = (id: string) => {
    if (id.startsWith("group:")) {
      const key = id.slice(6);
      setOpen((before) => { const next = new Set(before); if (!next.delete(key)) next.add(key); return next; });
    } else if (!id || hosts.has(id)) {
      setQuery(route, "focus", id === focus ? "" : id);
    } else {
      const line = view?.lines.find((l) => l.id === id);
      if (line) setQuery(route, "focus", line.source.startsWith("group:") ? "" : line.source);
    }
  };
  if (!data || !view) return <section><h1>Map</h1>{error ? <Problem error={error} retry={reload} /> : isLoading && <Waiting />}</section>;
  const focused = hosts.get(focus);
  const shown = focused ? view.links.filter((l) => l.source === focus || l.target === focus) : view.links;
  const marked = focused ? [focus, ...view.lines.filter((l) => l.source === focus || l.target === focus).map((l) => l.id)] : [];
  return (
    <section aria-labelledby="map-title">
      <div class="bar"><h1 id="map-title">Map <span class="number">{counted(view.hosts.length, "host")}, {counted(view.links.length, "conversation")}</span></h1><Filters route={route} data={data} until={until} onUntil={setUntil} /></div>
      {error && <Problem error={error} retry={reload} />}
      {data.is_cut && <p class="notice">There are more conversations than the map shows: the {data.links.length.toLocaleString()} heard last are here.</p>}
      {view.hosts.length === 0 ? <Empty>{data.hosts.length > 0 ? "No conversation fits these filters." : "No hosts yet: the sensor lists what it hears."}</Empty> : (
        <>
          <Canvas view={view} marked={marked} onChoose={choose} />
          <Legend />
          <Spots view={view} marked={marked} open={open} onChoose={choose} />
          <h2 class="part">{focused ? <>Conversations of <HostName host={focused} /> <button type="button" onClick={() => setQuery(route, "focus", "")}>All hosts</button></> : "Conversations"}</h2>
          <Conversations key={focus} links={shown} hosts={hosts} />
        </>
      )}
    </section>
  );
}
