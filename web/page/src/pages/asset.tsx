/* asset.tsx: one asset: what it is and how that is known, whom it talks with, who changes it, what people say of it. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { may, patch } from "../api";
import { useData } from "../data";
import { Empty, Problem, Severity, Time, TimedText, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo } from "../route";
import type { AlertLine } from "./alerts";
import { className, columns, nameOf, text, titleOf, type Asset } from "./asset-columns";

interface Seen { first_seen: string; last_seen: string; count: number }
interface Fact extends Seen { kind: string; unit: string; protocol: string; value: string; is_current: boolean; is_disputed: boolean }
interface Peer extends Seen { host: string; asset: string; name: string; protocol: string; is_client: boolean; is_server: boolean; state: string }
interface Change extends Seen { host: string; asset: string; name: string; protocol: string; operation: string; functions: string; is_actor: boolean; state: string }
interface Service extends Seen { transport: string; port: number; protocol: string; has_answered: boolean }
interface Transfer { time: string; rule: string; alert: string; actor: string; name: string; size: number; sha256: string; outcome: string }
interface Maintenance { time: string; window: string; actor: string; rule: string; object: string; operation: string; count: number; outcome: string; size: number; sha256: string }
interface Override { field: string; value: string; by: string; why: string; time: string }

interface Answer {
  asset: Asset; addresses: { kind: string; value: string; is_confirmed: boolean }[]; facts: Fact[]; services: Service[];
  protocols: { name: string; is_served: boolean; is_used: boolean }[]; peers: Peer[]; changes: Change[]; transfers: Transfer[]; maintenance: Maintenance[];
  overrides: Override[]; alerts: AlertLine[]; settable: { field: string; choices: string[] }[];
}

const words = (name: string) => name.replaceAll("_", " ");

/** Columns of numbers. */
const numbers = ["Count", "Messages", "Times", "Uses"];

/** A table under a heading, or the sentence that says why there is none. */
function Part({ title, head, empty, children }: { title: string; head: string[]; empty: string; children: ComponentChildren[] }) {
  const id = "part-" + title.toLowerCase().replace(/\W+/g, "-");
  return (
    <section class="part" aria-labelledby={id}>
      <h2 id={id}>{title} {children.length > 0 && <span class="number">{children.length}</span>}</h2>
      {children.length === 0 ? <Empty>{empty}</Empty> : (
        <div class="wide" tabIndex={0} role="region" aria-labelledby={id}>
          <table class="cards"><thead><tr>{head.map((h) => <th key={h} scope="col" class={numbers.includes(h) ? "count" : undefined}>{h}</th>)}</tr></thead><tbody>{children}</tbody></table>
        </div>
      )}
    </section>
  );
}

function HostLink({ host, asset, name }: { host: string; asset: string; name: string }) {
  const shown = name && name !== host ? <>{name} <span class="soft">{host}</span></> : host;
  return asset ? <a href={linkTo("assets", asset)}>{shown}</a> : <>{shown}</>;
}

/** Learned is quiet; what is not is said. */
const State = ({ value }: { value: string }) => (value === "learned" ? <span class="soft">learned</span> : <strong class="state">{value === "pending" ? "new" : value}</strong>);

const Last = ({ of }: { of: Seen }) => <td class="when" data-label="Last"><Time value={of.last_seen} /></td>;
const First = ({ of }: { of: Seen }) => <td class="when" data-label="First"><Time value={of.first_seen} /></td>;
const Count = ({ of }: { of: Seen }) => <td class="count" data-label="Count">{of.count.toLocaleString()}</td>;

/** Whence a value comes: a person, a protocol, or what the sensor makes of what it saw. */
function Whence({ from }: { from: string }) {
  const words = from.replace(/ \d{4}-\d\d-\d\dT\S+$/, "");
  if (words.startsWith("user ")) return <span class="said">by hand: {words.slice(5)}</span>;
  return <span class="soft">{/^(inferred|guess)/.test(words) ? `(${words.replace(/^guess,/, "a guess:").replace(/^inferred,/, "inferred:")})` : `from ${words}`}</span>;
}

function Value({ asset, name, isTime }: { asset: Asset; name: string; isTime?: boolean }) {
  const value = text(asset[name]);
  if (isTime) return <Time value={value} />;
  if (name === "parent_asset_id") return <a href={linkTo("assets", value)}>{value}</a>;
  if (name === "writers" || name === "last_program_change") return <TimedText words={value.replaceAll("_", " ")} />; // operations
  return name === "asset_class" ? <>{className(value)}</> : <TimedText words={value.replace(/ \(guess by MAC\)$/, "")} />;
}

/** What each column is, and whence: "vendor: cip 2026-..." of the sources. */
function Identity({ answer }: { answer: { asset: Asset } }) {
  const sources = new Map<string, string>();
  for (const source of (answer.asset.sources as string[] | undefined) ?? []) {
    const [column, ...from] = source.split(": ");
    if (column) sources.set(column, from.join(": "));
  }
  const shown = columns.filter((c) => answer.asset[c.name] !== undefined && !["sources", "schema", "conflicts"].includes(c.name));
  return (
    <section class="part" aria-labelledby="part-identity">
      <h2 id="part-identity">What it is</h2>
      <dl class="identity">
        {shown.map((c) => {
          const from = sources.get(c.name);
          return [
            <dt key={c.name}>{c.title}</dt>,
            <dd key={c.name + "."}><Value asset={answer.asset} name={c.name} isTime={c.isTime} /> {from && <Whence from={from} />}</dd>,
          ];
        })}
      </dl>
      {answer.asset.conflicts && <p class="notice">Sources contradict each other: {text(answer.asset.conflicts)}</p>}
    </section>
  );
}

function Say({ id, answer, onDone }: { id: string; answer: Answer; onDone: () => void }) {
  const [field, setField] = useState("name");
  const [error, setError] = useState<Error>();
  const said = answer.overrides.find((o) => o.field === field);
  const options = answer.settable.find((s) => s.field === field)?.choices ?? [];
  const send = (set: Record<string, string | null>, why: string) =>
    patch(`/api/v1/assets/${encodeURIComponent(id)}`, { set, why }).then(() => { setError(undefined); onDone(); }, setError);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    void send({ [field]: String(form.get("value")) }, String(form.get("why")));
  };
  return (
    <details class="say" open={error !== undefined || undefined}>
      <summary>Say what it is</summary>
      <form onSubmit={submit} class="filters">
        <label>What <select value={field} onChange={(e) => setField((e.target as HTMLSelectElement).value)}>
          {answer.settable.map((s) => <option key={s.field} value={s.field}>{titleOf(s.field)}</option>)}
        </select></label>
        <label>Value {options.length > 0
          ? <select name="value" key={field} defaultValue={said?.value ?? text(answer.asset[field])}>{options.map((o) => <option key={o} value={o} selected={o === (said?.value ?? text(answer.asset[field]))}>{o}</option>)}</select>
          : <input name="value" key={field} required maxLength={199} defaultValue={said?.value ?? text(answer.asset[field]).replaceAll(", ", ";")} autocomplete="off" />}</label>
        <label>Why <input name="why" maxLength={500} placeholder="seen on site" autocomplete="off" /></label>
        <button type="submit" class="primary">Save</button>
      </form>
      <p class="soft">What you say stands above everything that the sensor finds out, here and in every export.</p>
      {error && <Problem error={error} />}
    </details>
  );
}

function Said({ id, answer, mayLift, onDone }: { id: string; answer: Answer; mayLift: boolean; onDone: () => void }) {
  const [error, setError] = useState<Error>();
  if (answer.overrides.length === 0) return null;
  const lift = (field: string) => patch(`/api/v1/assets/${encodeURIComponent(id)}`, { set: { [field]: null }, why: "" }).then(onDone, setError);
  return (
    <>
      <ul class="history">
        {answer.overrides.map((o) => (
          <li key={o.field}>{titleOf(o.field)} is “{o.value}”, says {o.by}, <Time value={o.time} />{o.why && <>: {o.why}</>}{" "}
            {mayLift && <button type="button" onClick={() => void lift(o.field)} aria-label={`Lift: ${titleOf(o.field)}`}>Lift</button>}</li>
        ))}
      </ul>
      {error && <Problem error={error} />}
    </>
  );
}

function Changes({ changes, isActor, title, empty }: { changes: Change[]; isActor: boolean; title: string; empty: string }) {
  return (
    <Part title={title} head={[isActor ? "Target" : "Who", "What", "Protocol", "Count", "First", "Last", "State"]} empty={empty}>
      {changes.filter((c) => c.is_actor === isActor).map((c, i) => (
        <tr key={i}><td><HostLink {...c} /></td><td data-label="What">{words(c.operation)} <span class="soft">{words(c.functions).replaceAll(",", ", ")}</span></td><td data-label="Protocol">{c.protocol}</td>
          <Count of={c} /><First of={c} /><Last of={c} /><td data-label="State"><State value={c.state} /></td></tr>
      ))}
    </Part>
  );
}

function Programs({ answer }: { answer: Answer }) {
  const rows = [
    ...answer.transfers.map((t) => ({ ...t, what: words(t.rule.replace("plc.", "").replaceAll("-", " ")), link: linkTo("alerts", t.alert, { triage: "all" }), place: "alert" })),
    ...answer.maintenance.map((m) => ({ ...m, name: m.object, what: words(m.operation), link: "", place: `in window ${m.window}` })),
  ].sort((a, b) => b.time.localeCompare(a.time));
  return (
    <Part title="Program and mode history" head={["When", "What", "Who", "Transfer", "Where it is told"]} empty="Nobody was seen changing its program or its mode.">
      {rows.map((t, i) => (
        <tr key={i}>
          <td><Time value={t.time} /></td><td data-label="What">{t.what}</td><td data-label="Who">{t.actor}</td>
          <td data-label="Transfer">{[t.name, t.size > 0 && `${t.size} bytes`, t.outcome].filter(Boolean).join(", ")}{t.sha256 && <span class="mono rule">SHA-256 {t.sha256}</span>}</td>
          <td>{t.link ? <a class="shown" href={t.link}>alert</a> : t.place}</td>
        </tr>
      ))}
    </Part>
  );
}

function Network({ answer }: { answer: Answer }) {
  return (
    <>
      <Part title="Peers" head={["Peer", "Protocol", "This asset", "Messages", "First", "Last", "State"]} empty="No conversation of this asset is in the baseline.">
        {answer.peers.map((p, i) => (
          <tr key={i}><td><HostLink {...p} /></td><td data-label="Protocol">{p.protocol || <span class="soft">unknown</span>}</td><td data-label="This asset">{p.is_client ? "asks" : p.is_server ? "answers" : ""}</td>
            <Count of={p} /><First of={p} /><Last of={p} /><td data-label="State"><State value={p.state} /></td></tr>
        ))}
      </Part>
      <Part title="Ports" head={["Port", "Protocol", "Answered", "Uses", "First", "Last"]} empty="Nobody was seen connecting to it.">
        {answer.services.map((s, i) => (
          <tr key={i}><td>{s.transport}/{s.port}</td><td data-label="Protocol">{s.protocol}</td><td data-label="Answered">{s.has_answered ? "yes" : "no: asked only"}</td><Count of={s} /><First of={s} /><Last of={s} /></tr>
        ))}
      </Part>
    </>
  );
}

function Facts({ facts }: { facts: Fact[] }) {
  return (
    <Part title="How that is known" head={["What", "Value", "Protocol", "Unit", "Times", "First", "Last"]} empty="It told nothing about itself: only its addresses and what it does are known.">
      {facts.map((f, i) => (
        <tr key={i} class={f.is_current ? "" : "is-past"}>
          <td>{words(f.kind)}{f.is_disputed && <strong class="state"> contradicts another</strong>}{!f.is_current && <span class="soft"> earlier</span>}</td>
          <td data-label="Value">{f.value}</td><td data-label="Protocol">{f.protocol}</td><td data-label="Unit">{f.unit}</td><Count of={f} /><First of={f} /><Last of={f} />
        </tr>
      ))}
    </Part>
  );
}

/** What stands behind another asset (a unit, a slot): its id has a slash in it, and its row is all that is known of it. */
function InsidePage({ route }: PageProps) {
  const { data, error, isLoading, reload } = useData<{ assets: Asset[] }>(`/api/v1/assets?limit=1&asset_id=${encodeURIComponent(route.rest)}`);
  const asset = data?.assets[0], parent = route.rest.split("/")[0]!;
  return (
    <article class="asset" aria-labelledby="asset-title">
      <a class="back" href={linkTo("assets", parent)}>← The asset that it is part of</a>
      <h1 id="asset-title">{asset ? nameOf(asset) : "Part of an asset"} <span class="number">{asset && [className(text(asset.asset_class)), text(asset.vendor), text(asset.model)].filter(Boolean).join(" · ")}</span></h1>
      {error && <Problem error={error} retry={reload} />}
      {asset ? <Identity answer={{ asset }} /> : data ? <Empty>There is no such asset. What stands behind another one is listed among all assets.</Empty> : isLoading && <Waiting />}
    </article>
  );
}

export function AssetPage(props: PageProps) {
  return props.route.rest.includes("/") ? <InsidePage {...props} /> : <WholePage {...props} />;
}

function WholePage({ route, session }: PageProps) {
  const { data, error, isLoading, reload } = useData<Answer>(`/api/v1/assets/${encodeURIComponent(route.rest)}`);
  const isEngineer = may(session.role, "engineer") && session.has_users;
  const back = linkTo("assets", "", route.query);
  if (!data) return <section><a class="back" href={back}>← All assets</a>{error ? <Problem error={error} retry={reload} /> : isLoading && <Waiting />}</section>;
  const { asset } = data, address = text(asset.ip ?? asset.mac);
  return (
    <article class="asset" aria-labelledby="asset-title">
      <a class="back" href={back}>← All assets</a>
      <h1 id="asset-title">{nameOf(asset)} <span class="number">{[nameOf(asset) !== address && address, className(text(asset.asset_class)), text(asset.vendor), text(asset.model)].filter(Boolean).join(" · ")}</span></h1>
      {error && <Problem error={error} retry={reload} />}
      <p><a href={linkTo("map", "", { focus: text(asset.asset_id) })}>Show on the map</a></p>
      <Said id={text(asset.asset_id)} answer={data} mayLift={isEngineer} onDone={reload} />
      {isEngineer && <Say id={text(asset.asset_id)} answer={data} onDone={reload} />}
      <Identity answer={data} />
      <Part title="Alerts" head={["Severity", "What happened", "Count", "Last"]} empty="No alert is about it.">
        {data.alerts.map((a) => (
          <tr key={a.id}><td><Severity value={a.severity} /></td><td><a href={linkTo("alerts", a.id, { triage: "all" })}>{a.message}</a><span class="rule">{a.rule_name}{a.triage !== "new" && ` · ${a.triage}`}</span></td><Count of={a} /><Last of={a} /></tr>
        ))}
      </Part>
      <Changes changes={data.changes} isActor={false} title="Who writes to it or programs it" empty="Nobody was seen changing anything in it." />
      <Changes changes={data.changes} isActor title="What it writes to or programs" empty="It was not seen changing anything elsewhere." />
      <Programs answer={data} />
      <Network answer={data} />
      <Facts facts={data.facts} />
    </article>
  );
}
