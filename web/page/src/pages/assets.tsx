/* assets.tsx: the inventory as a table: columns to choose, filters, order, pages, files to take away. */
import { useMemo, useRef } from "preact/hooks";
import { query } from "../api";
import { useData } from "../data";
import { Empty, Problem, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";
import { AssetPage } from "./asset";
import { chosenColumns, className, columns, nameOf, rememberColumns, text, titleOf, usual, type Asset } from "./asset-columns";
import { DeclaredPage } from "./declared";

interface AssetList { assets: Asset[]; total: number; matched: number; facets?: Record<string, Record<string, number>> }

const PAGE_SIZE = 100;
const choices: [string, string][] = [["asset_class", "Class"], ["zone", "Zone"], ["vendor", "Vendor"]];

/** Files of what the filters leave over: a button is a line. */
const files: { title: string; path: string }[] = [
  { title: "CSV", path: "/api/v1/assets.csv" },
  { title: "JSON lines", path: "/api/v1/assets.ndjson" },
  { title: "NetBox", path: "/api/v1/assets.netbox.csv" },
  { title: "CycloneDX", path: "/api/v1/assets.cyclonedx.json" },
];

function filterOf(route: Route): Record<string, string> {
  const filter: Record<string, string> = { q: route.query.get("q") ?? "" };
  for (const [name] of choices) filter[name] = route.query.get(name) ?? "";
  return filter;
}

function Filters({ route, facets }: { route: Route; facets: AssetList["facets"] }) {
  const timer = useRef<number>();
  const typed = (event: Event) => {
    const words = (event.target as HTMLInputElement).value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => restart(route, "q", words.trim()), 250);
  };
  return (
    <form class="filters" role="search" aria-label="Filter assets" onSubmit={(e) => e.preventDefault()}>
      <label>Find <input type="search" id="find" defaultValue={route.query.get("q") ?? ""} onInput={typed} placeholder="address or name" autocomplete="off" spellcheck={false} /></label>
      {choices.map(([name, title]) => {
        const values = Object.entries(facets?.[name] ?? {}).sort((a, b) => a[0].localeCompare(b[0], undefined, { numeric: true }));
        const chosen = route.query.get(name) ?? "";
        if (values.length === 0 && !chosen) return null;
        return (
          <label key={name}>{title} <select value={chosen} onChange={(e) => restart(route, name, (e.target as HTMLSelectElement).value)}>
            <option value="">all</option>
            {chosen && !values.some(([v]) => v === chosen) && <option value={chosen}>{chosen}</option>}
            {values.map(([value, count]) => <option key={value} value={value}>{name === "asset_class" ? className(value) : value} ({count})</option>)}
          </select></label>
        );
      })}
    </form>
  );
}

/** Another filter begins at the first page again. */
function restart(route: Route, key: string, value: string): void {
  const fresh = new URLSearchParams(route.query);
  fresh.delete("skip");
  setQuery({ ...route, query: fresh }, key, value);
}

function ColumnChoice({ route, chosen }: { route: Route; chosen: string[] }) {
  const choose = (list: string[]) => {
    rememberColumns(list);
    setQuery(route, "columns", list.join(","));
  };
  const toggle = (name: string, isOn: boolean) => {
    const next = columns.filter((c) => (c.name === name ? isOn : chosen.includes(c.name))).map((c) => c.name);
    choose(next.length > 0 ? next : ["name"]);
  };
  return (
    <details class="columns">
      <summary>Columns ({chosen.length} of {columns.length})</summary>
      <fieldset>
        <legend class="hidden">Columns to show</legend>
        {columns.map((c) => (
          <label key={c.name}><input type="checkbox" checked={chosen.includes(c.name)} onChange={(e) => toggle(c.name, (e.target as HTMLInputElement).checked)} /> {c.title}</label>
        ))}
      </fieldset>
      <p><button type="button" onClick={() => choose(usual)}>The usual ones</button></p>
    </details>
  );
}

function Heading({ name, route }: { name: string; route: Route }) {
  const sort = route.query.get("sort") ?? "";
  const isUp = sort === name, isDown = sort === `-${name}`;
  return (
    <th scope="col" aria-sort={isUp ? "ascending" : isDown ? "descending" : undefined}>
      <button type="button" class="sort" onClick={() => restart(route, "sort", isUp ? `-${name}` : isDown ? "" : name)}>
        {titleOf(name)} <span aria-hidden="true">{isUp ? "▲" : isDown ? "▼" : ""}</span>
      </button>
    </th>
  );
}

function Cell({ asset, name, isFirst, link }: { asset: Asset; name: string; isFirst: boolean; link: string }) {
  const value = text(asset[name]);
  const shown = name === "name" ? nameOf(asset) : name === "asset_class" ? className(value) : columns.find((c) => c.name === name)?.isTime && value ? <Time value={value} /> : value;
  return isFirst ? <td><a href={link}>{shown || nameOf(asset)}</a></td> : <td data-label={titleOf(name)}>{shown}</td>;
}

function Pager({ route, skip, matched }: { route: Route; skip: number; matched: number }) {
  if (matched <= PAGE_SIZE) return null;
  const go = (to: number) => {
    setQuery(route, "skip", to > 0 ? String(to) : "");
    document.getElementById("main")?.scrollIntoView();
  };
  return (
    <nav class="pager" aria-label="Pages of the list">
      <button type="button" disabled={skip === 0} onClick={() => go(Math.max(0, skip - PAGE_SIZE))}>← Previous</button>
      <span>{skip + 1} to {Math.min(skip + PAGE_SIZE, matched)} of {matched.toLocaleString()}</span>
      <button type="button" disabled={skip + PAGE_SIZE >= matched} onClick={() => go(skip + PAGE_SIZE)}>Next →</button>
    </nav>
  );
}

function List({ route }: { route: Route }) {
  const chosen = useMemo(() => chosenColumns(route.query.get("columns")), [route]);
  const skip = Number(route.query.get("skip")) || 0;
  const filter = filterOf(route), sort = route.query.get("sort") ?? "";
  const asked = [...new Set([...chosen, "name", "hostname", "ip", "mac"])].join(",");
  const { data, error, isLoading, reload } = useData<AssetList>("/api/v1/assets" + query({ ...filter, sort, columns: asked, limit: PAGE_SIZE, skip, facets: 1 }));
  const last = useRef<AssetList>();
  if (data) last.current = data;
  const list = data ?? (isLoading ? last.current : undefined);
  const wanted = query({ q: filter.q, class: filter.asset_class, zone: filter.zone, vendor: filter.vendor });
  return (
    <section aria-labelledby="assets-title">
      <div class="bar"><h1 id="assets-title">Assets {list && <span class="number">{list.matched === list.total ? list.total.toLocaleString() : `${list.matched.toLocaleString()} of ${list.total.toLocaleString()}`}</span>}</h1><Filters route={route} facets={list?.facets} /></div>
      <div class="bar">
        <ColumnChoice route={route} chosen={chosen} />
        <p class="buttons">
          <a class="button" href={linkTo("assets", "declared")}>The plant's own list</a>
          <span class="buttons" role="group" aria-label="Take the list away as a file">
            <span class="soft">Export</span> {files.map((f) => <a key={f.title} class="button" href={f.path + wanted} download="">{f.title}</a>)}
          </span>
        </p>
      </div>
      {error && <Problem error={error} retry={reload} />}
      {!list && isLoading && <Waiting />}
      {list && list.matched === 0 && <Empty>{list.total > 0 ? "No device fits these filters." : "No devices yet: the sensor lists what it hears."}</Empty>}
      {list && list.assets.length > 0 && (
        <div class="wide" tabIndex={0} role="region" aria-label="List of assets">
          <table class="assets cards">
            <thead><tr>{chosen.map((name) => <Heading key={name} name={name} route={route} />)}</tr></thead>
            <tbody>
              {list.assets.map((asset) => (
                <tr key={text(asset.asset_id)}>
                  {chosen.map((name, i) => <Cell key={name} asset={asset} name={name} isFirst={i === 0} link={linkTo("assets", text(asset.asset_id), route.query)} />)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list && <Pager route={route} skip={skip} matched={list.matched} />}
    </section>
  );
}

export function Assets(props: PageProps) {
  if (props.route.rest === "declared") return <DeclaredPage {...props} />;
  return props.route.rest ? <AssetPage key={props.route.rest} {...props} /> : <List route={props.route} />;
}
