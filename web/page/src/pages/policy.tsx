/* policy.tsx: the site's policy and the Sigma rules: what they say, how much they have to say, and new ones checked and tried on
 * the history before anybody enforces them. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { may, post, query } from "../api";
import { useData } from "../data";
import { counted, Empty, Problem, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";

interface Line { kind: string; text: string }
interface Policy {
  is_well_formed: boolean; error?: string; summary?: string; lines?: Line[]; is_declared: boolean; path: string; is_own_file: boolean;
  text?: string; hash?: string; is_writable?: boolean;
}
interface Span { rows: number; events: number; is_cut: boolean; from: string | null; to: string | null }
interface PolicyTrial {
  is_well_formed: boolean; error?: string; summary?: string; lines?: Line[]; history?: Span;
  findings?: { rule: string; title: string; severity: string; count: number; examples: { time: string; actor: string; target: string; protocol: string; seen: string; expected: string }[] }[];
}
interface Rule {
  id: string; title: string; level: string; techniques: string; file: string; line: number; on: string; state: string; tests: number;
  alerts?: number; hits?: number; last_seen?: string | null;
}
interface Noise { rule: string; title: string; severity: string; findings: number; alerts: number; revisions: number; suppressed: number; folded: number }
interface Rules { rules: Rule[]; files: string[]; problem: string; noise: Noise[]; days: number }
interface RuleTrial {
  is_well_formed: boolean; error?: string; rules?: Rule[]; tests?: number; failures?: { title: string; line: number; shows: string; problem: string }[]; history?: Span;
  matches?: { title: string; level: string; count: number; first: { time: string; actor: string; target: string; seen: string; object: string } | null }[];
}

const number = (n: number) => n.toLocaleString();

/* --- the policy as it is --- */

const kinds: [string, string, string][] = [
  ["zone", "Zones", "Where devices stand"], ["conduit", "Conduits", "Who may talk to whom across zones"], ["window", "Maintenance windows", "What is expected then, and by whom"],
  ["data", "Data access", "Who may read or write which objects"],
];

/** A single host needs no mask. */
const hosts = (words: string) => words.replace(/(\d+\.\d+\.\d+\.\d+)\/32\b/g, "$1");

function Lines({ lines }: { lines: Line[] }) {
  const others = lines.filter((line) => !kinds.some(([kind]) => kind === line.kind));
  return (
    <div class="columns">
      {kinds.map(([kind, title, about]) => {
        const own = lines.filter((line) => line.kind === kind);
        return (
          <section key={kind} class="card" aria-label={title}>
            <h3>{title} <span class="number">{own.length}</span></h3>
            {own.length === 0 ? <p class="soft">None. {about}.</p> : <ul class="plain lines">{own.map((line, i) => <li key={i}>{hosts(line.text).replaceAll("_", " ")}</li>)}</ul>}
          </section>
        );
      })}
      {others.length > 0 && (
        <section class="card" aria-label="More"><h3>More</h3><ul class="plain lines">{others.map((line, i) => <li key={i}>{line.kind}{line.text === "nothing else" && !line.kind.endsWith(":") ? ":" : ""} {hosts(line.text)}</li>)}</ul></section>
      )}
    </div>
  );
}

function Present({ policy }: { policy: Policy }) {
  if (!policy.is_declared)
    return <Empty>No site policy. Write one (sightglass-policy.yaml.example explains every key), try it below, and name it in the configuration: <code>policy: sightglass-policy.yaml</code>. The console reads it when it is started with the same configuration (<code class="nobr">-c</code>).</Empty>;
  return (
    <>
      <p class="soft">{policy.summary && `${policy.summary}, `}from <span class="mono">{policy.path}</span></p>
      {policy.error && <Problem error={new Error(policy.error)} />}
      {policy.lines && <Lines lines={policy.lines} />}
    </>
  );
}

/* --- trying --- */

function Tried({ span }: { span: Span }) {
  if (span.rows === 0) return <p class="notice" role="status">The store has no event history yet to try it on.</p>;
  return <p class="soft" role="status">Tried on {number(span.events)} events, <Time value={span.from} /> to <Time value={span.to} />{span.is_cut && ": the newest part of the history"}.</p>;
}

/** "rule:4: key ..." of the command line: the text has no file name here. */
const Mistake = ({ words }: { words: string }) => <Problem error={new Error(words.replace(/^(?:policy|rule):(\d+): /, "line $1: "))} />;

function PolicyResult({ trial }: { trial: PolicyTrial }) {
  if (!trial.is_well_formed) return <Mistake words={trial.error ?? ""} />;
  return (
    <div class="result">
      <p class="notice" role="status">Well-formed: {trial.summary}.{trial.findings && (trial.findings.length ? " On the history it would have raised:" : " On the history it would have raised nothing.")}</p>
      {trial.history && <Tried span={trial.history} />}
      {trial.findings?.map((f) => (
        <details key={f.rule}><summary>{f.title}: {counted(f.count, "time")} <span class="soft">({f.rule}, {f.severity})</span></summary>
          <ul>{f.examples.map((e, i) => <li key={i}><Time value={e.time} /> {e.actor}{e.target && ` → ${e.target}`}: {e.seen}<span class="rule">{e.expected}</span></li>)}</ul>
        </details>
      ))}
    </div>
  );
}

function RuleResult({ trial }: { trial: RuleTrial }) {
  if (!trial.is_well_formed) return <Mistake words={trial.error ?? ""} />;
  const failures = trial.failures ?? [];
  return (
    <div class="result">
      <p class="notice" role="status">Well-formed: {trial.rules?.map((r) => `${r.title} (${r.level})`).join(", ")}. {trial.tests ? `${counted(trial.tests, "test")} inside, ${failures.length} failed.` : "No tests inside."}</p>
      {failures.map((f, i) => <p key={i} class="problem">Line {f.line}, {f.title}: {f.shows} {f.problem}</p>)}
      {trial.history && <Tried span={trial.history} />}
      {trial.matches && (
        <ul>{trial.matches.map((m, i) => <li key={i}><strong>{number(m.count)}</strong> {m.count === 1 ? "match" : "matches"} of {m.title}{m.first && <span class="rule">first: <Time value={m.first.time} /> {m.first.actor}{m.first.target && ` → ${m.first.target}`}: {m.first.seen}{m.first.object && `, ${m.first.object}`}</span>}</li>)}</ul>
      )}
    </div>
  );
}

/** A text that is checked and tried; what comes out is shown by the caller. */
function Editor<T>({ label, path, initial, example, rows, show, extra }: {
  label: string; path: string; initial: string; example?: string; rows: number; show: (trial: T) => ComponentChildren; extra?: (text: string) => ComponentChildren;
}) {
  const [text, setText] = useState(initial);
  const [trial, setTrial] = useState<T>();
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState("");
  const result = useRef<HTMLDivElement>(null);
  const from = useRef(initial);
  useEffect(() => {
    if (from.current === initial) return; // the first time: what was typed meanwhile stays
    from.current = initial;
    setText(initial);
  }, [initial]);
  useEffect(() => { if (trial || error) result.current?.scrollIntoView({ block: "nearest" }); }, [trial, error]);
  async function work(what: string) {
    setBusy(what);
    setError(undefined);
    setTrial(undefined);
    try {
      setTrial(await post<T>(`${path}/${what}`, { text }));
    } catch (e) {
      setError(e as Error);
    }
    setBusy("");
  }
  return (
    <div class="work editor">
      <label>{label} <textarea class="mono" rows={rows} value={text} spellcheck={false} onInput={(e) => setText((e.target as HTMLTextAreaElement).value)} /></label>
      <p class="buttons">
        <button type="button" disabled={!text.trim() || !!busy} onClick={() => void work("check")}>{busy === "check" ? "One moment…" : "Check"}</button>
        <button type="button" class="primary" disabled={!text.trim() || !!busy} onClick={() => void work("test")}>{busy === "test" ? "One moment…" : "Try on the history"}</button>
        {example && !text.trim() && <button type="button" onClick={() => setText(example)}>Begin with an example</button>}
        {extra?.(text)}
      </p>
      <div ref={result}>
        {error && <Problem error={error} />}
        {trial && show(trial)}
      </div>
    </div>
  );
}

function Download({ text, name }: { text: string; name: string }) {
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  return <button type="button" disabled={!text.trim()} onClick={save}>Download</button>;
}

function Save({ policy, text, onDone }: { policy: Policy; text: string; onDone: () => void }) {
  const [why, setWhy] = useState("");
  const [words, setWords] = useState("");
  const [error, setError] = useState<Error>();
  const save = () => post("/api/v1/policy", { text, hash: policy.hash, why }).then(
    () => { setError(undefined); setWhy(""); setWords(`Saved to ${policy.path}. The sensor takes it over at SIGHUP (systemctl reload sightglass).`); onDone(); }, setError);
  return (
    <span class="save">
      <label>Why <input value={why} maxLength={200} placeholder="change ticket" onInput={(e) => setWhy((e.target as HTMLInputElement).value)} /></label>{" "}
      <button type="button" disabled={!why.trim() || text === policy.text} onClick={() => void save()}>Save</button>
      {words && <span role="status"> {words}</span>}
      {error && <Mistake words={error.message} />}
    </span>
  );
}

function Apply({ policy }: { policy: Policy }) {
  if (policy.is_own_file && policy.is_writable) return <p class="soft">Saving replaces <span class="mono">{policy.path}</span>; the sensor takes it over at SIGHUP.</p>;
  return (
    <p class="soft">
      {policy.is_own_file ? <>The console may not write <span class="mono">{policy.path}</span>. To apply a policy: download it, put it there, </>
        : <>To apply a policy: download it, put it beside the sensor's configuration, name it there (<code>policy: sightglass-policy.yaml</code>), </>}
      run <code>sightglass policy check</code> on it, and send the sensor SIGHUP.
    </p>
  );
}

/** To begin with where there is no policy: of the plant in the documentation. */
const EXAMPLE = `hosts:
  eng-station: 192.168.40.30
zones:
  - {name: cell-1, level: 1, subnets: 192.168.40.96/27}
  - {name: supervision, level: 2, subnets: 192.168.40.0/27}
conduits: # with this key everything else between zones is told
  - {from: supervision, to: cell-1}
engineering_stations: eng-station
windows:
  - {name: weekly service, days: sat, times: "06:00-10:00", who: eng-station, what: cell-1, operations: engineering}
`;

function PolicyView({ isEngineer }: { isEngineer: boolean }) {
  const { data, error, isLoading, reload } = useData<Policy>("/api/v1/policy");
  return (
    <section class="chapter" aria-labelledby="site-title">
      <h2 id="site-title">Site policy</h2>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && <Present policy={data} />}
      {data && !isEngineer && <p class="soft">Engineers can check another policy here and try it on the history.</p>}
      {data && isEngineer && (
        <section class="chapter" aria-labelledby="try-policy">
          <h2 id="try-policy">Check and try a policy</h2>
          <p class="soft">Nothing is enforced by trying. What zones, conduits, internet and remote access rules, safety and data access would have raised is counted on the stored history, as in a plant that is learned.</p>
          <Editor<PolicyTrial> label="Policy (YAML)" path="/api/v1/policy" initial={data.text ?? ""} example={EXAMPLE} rows={18} show={(trial) => <PolicyResult trial={trial} />}
            extra={(text) => <><Download text={text} name="sightglass-policy.yaml" />{data.is_own_file && data.is_writable && <Save policy={data} text={text} onDone={reload} />}</>} />
          <Apply policy={data} />
        </section>
      )}
    </section>
  );
}

/* --- rules --- */

function RuleTable({ rules }: { rules: Rule[] }) {
  return (
    <table class="rules cards">
      <thead><tr><th scope="col">Level</th><th scope="col">Rule</th><th scope="col">State</th><th scope="col" class="count">Alerts</th><th scope="col" class="count">Matches</th><th scope="col">Last match</th></tr></thead>
      <tbody>
        {rules.map((r) => (
          <tr key={r.id}>
            <td><span class={`badge ${r.level === "informational" ? "info" : r.level}`}>{r.level}</span></td>
            <td>{r.title}<span class="rule">{r.on}{r.techniques && ` · ${r.techniques}`} · {r.file}, line {r.line}</span></td>
            <td data-label="State">{r.state === "part" ? "counted by a correlation" : r.state}{r.tests > 0 && <span class="rule">{counted(r.tests, "test")} inside</span>}</td>
            <td class="count" data-label="Alerts">{number(r.alerts ?? 0)}</td><td class="count" data-label="Matches">{number(r.hits ?? 0)}</td>
            <td class="when" data-label="Last match"><Time value={r.last_seen} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function NoiseTable({ noise }: { noise: Noise[] }) {
  return (
    <table class="noise cards">
      <thead><tr><th scope="col">Severity</th><th scope="col">Type</th><th scope="col" class="count">Findings</th><th scope="col" class="count">Alerts</th><th scope="col" class="count">Suppressed</th><th scope="col" class="count">Folded into others</th></tr></thead>
      <tbody>
        {noise.map((n) => (
          <tr key={n.rule}>
            <td><span class={`badge ${n.severity}`}>{n.severity}</span></td>
            <td><a href={linkTo("alerts", "", { rule: n.rule, triage: "all" })}>{n.title || n.rule}</a><span class="rule">{n.rule}</span></td>
            <td class="count" data-label="Findings">{number(n.findings)}</td><td class="count" data-label="Alerts">{number(n.alerts)}</td>
            <td class="count" data-label="Suppressed">{number(n.suppressed)}</td><td class="count" data-label="Folded">{number(n.folded)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RulesView({ route, isEngineer }: { route: Route; isEngineer: boolean }) {
  const days = route.query.get("days") ?? "7";
  const { data, error, isLoading, reload } = useData<Rules>("/api/v1/rules" + query({ days }));
  return (
    <section class="chapter" aria-labelledby="rules-title">
      <h2 id="rules-title">Sigma rules</h2>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data?.problem && <Problem error={new Error(data.problem)} />}
      {data && data.rules.length === 0 && !data.problem && <Empty>No rules. Name files or folders of Sigma rules in the configuration (<code>{"rules: {files: [...]}"}</code>) and start the console with it (<code>-c</code>).</Empty>}
      {data && data.rules.length > 0 && <RuleTable rules={data.rules} />}
      {isEngineer && (
        <section class="chapter" aria-labelledby="try-rule">
          <h2 id="try-rule">Check and try a rule</h2>
          <Editor<RuleTrial> label="Sigma rules (YAML)" path="/api/v1/rules" initial="" rows={14} show={(trial) => <RuleResult trial={trial} />} extra={(text) => <Download text={text} name="rule.yml" />} />
          <p class="soft">To apply a rule: download it, put it into {data?.files.length ? <span class="mono">{data.files.join(" or ")}</span> : "a folder that rules.files of the configuration names"}, and send the sensor SIGHUP. Nothing is written from here.</p>
        </section>
      )}
      <h2>How much each type has to say</h2>
      <form class="filters" aria-label="Time of the counts" onSubmit={(e) => e.preventDefault()}>
        <label>In the last{" "}
          <select value={days} onChange={(e) => setQuery(route, "days", (e.target as HTMLSelectElement).value)}><option value="1">day</option><option value="7">7 days</option><option value="30">30 days</option><option value="365">year</option></select>
        </label>
      </form>
      {data && data.noise.length === 0 && <Empty>Nothing was found in this time.</Empty>}
      {data && data.noise.length > 0 && <NoiseTable noise={data.noise} />}
    </section>
  );
}

export function PolicyAndRules({ route, session }: PageProps) {
  const isRules = route.rest === "rules";
  const isEngineer = may(session.role, "engineer") && session.has_users;
  return (
    <section aria-labelledby="policy-title">
      <div class="bar"><h1 id="policy-title">Policy and rules</h1></div>
      <nav class="tabs" aria-label="Policy or rules">
        <a href={linkTo("policy")} aria-current={isRules ? undefined : "page"}>Site policy</a><a href={linkTo("policy", "rules")} aria-current={isRules ? "page" : undefined}>Rules and noise</a>
      </nav>
      {isRules ? <RulesView route={route} isEngineer={isEngineer} /> : <PolicyView isEngineer={isEngineer} />}
    </section>
  );
}
