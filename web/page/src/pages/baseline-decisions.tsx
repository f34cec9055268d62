/* baseline-decisions.tsx: what people decided, and what changed since a date. */
import { useState } from "preact/hooks";
import { post, query } from "../api";
import { useData } from "../data";
import { Empty, Problem, Time, timeOf, Waiting } from "../parts";
import { linkTo, setQuery, type Route } from "../route";

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

export function Decisions({ route, canDecide, onChange }: { route: Route; canDecide: boolean; onChange: () => void }) {
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
