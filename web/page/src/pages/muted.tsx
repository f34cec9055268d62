/* muted.tsx: what people do not want to be told for a while, and the form that begins it. */
import { useState } from "preact/hooks";
import { may, post, query, remove } from "../api";
import { useData } from "../data";
import { Danger, Empty, Problem, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo } from "../route";

interface Suppression {
  sensor: string; id: number; rule: string; actor: string; target: string; until: string; by: string; why: string; made: string;
  state: "in force" | "ended" | "lifted"; held_back: number; last_seen?: string;
}

/** In the details of an alert. */
export function Mute({ id, actor, target }: { id: string; actor: boolean; target: boolean }) {
  const [error, setError] = useState<Error>();
  const [muted, setMuted] = useState("");
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    try {
      const answer = await post<{ muted: string }>(`/api/v1/alerts/${id}/mute`, { why: form.get("mute-why"), scope: form.get("mute-scope"), hours: Number(form.get("hours")) });
      setMuted(answer.muted);
      setError(undefined);
    } catch (e) {
      setError(e as Error);
    }
  }
  if (muted) return <p class="notice" role="status">Muted: {muted}. It is counted meanwhile; lift it under <a href={linkTo("muted")}>muted alerts</a>.</p>;
  return (
    <details class="approve"><summary>Known for now: mute this kind until…</summary>
      <form onSubmit={submit}>
        <label>Why <input name="mute-why" required maxLength={190} placeholder="repair under way, ticket" /></label>
        <label>For
          <select name="mute-scope">
            {actor && target && <option value="pair">this actor on this target</option>}
            {actor && <option value="actor">this actor on any target</option>}
            {target && <option value="target">this target by any actor</option>}
            <option value="all">every device</option>
          </select>
        </label>
        <label>Until
          <select name="hours"><option value="8">8 hours from now</option><option value="24">a day from now</option><option value="168">a week from now</option><option value="720">30 days from now</option></select>
        </label>
        <button type="submit">Mute</button>
        {error && <Problem error={error} />}
      </form>
    </details>
  );
}

function Row({ s, isAnalyst, onLift }: { s: Suppression; isAnalyst: boolean; onLift: () => void }) {
  return (
    <tr>
      <td>{s.rule}<span class="rule">{s.why}</span></td>
      <td data-label="Actor">{s.actor || "any"}</td><td data-label="Target">{s.target || "any"}</td>
      <td data-label="Until"><Time value={s.until} /></td>
      <td data-label="By">{s.by}<span class="rule"><Time value={s.made} /></span></td>
      <td class="count" data-label="Held back">{s.held_back.toLocaleString()}</td>
      <td data-label="State">{s.state}</td>
      {isAnalyst && <td>{s.state === "in force" && <Danger label="Lift" question="Tell it again?" onConfirm={onLift} />}</td>}
    </tr>
  );
}

export function Muted({ session }: PageProps) {
  const { data, error, isLoading, reload } = useData<{ suppressions: Suppression[] }>("/api/v1/suppressions");
  const [failed, setFailed] = useState<Error>();
  const isAnalyst = may(session.role, "analyst") && session.has_users;
  const lift = (s: Suppression) => remove(`/api/v1/suppressions/${s.id}${query({ sensor: s.sensor })}`).then(() => { setFailed(undefined); reload(); }, setFailed);
  return (
    <section aria-labelledby="muted-title">
      <div class="bar"><h1 id="muted-title">Muted alerts</h1><a href={linkTo("alerts")}>← Alerts</a></div>
      <p class="soft">What fits one of these is counted, and not told. An alert is muted in its details, for a while and for a reason.</p>
      {(error || failed) && <Problem error={(failed ?? error)!} retry={() => { setFailed(undefined); reload(); }} />}
      {!data && isLoading && <Waiting />}
      {data && data.suppressions.length === 0 && <Empty>Nothing is muted.</Empty>}
      {data && data.suppressions.length > 0 && (
        <table class="cards muted">
          <thead><tr><th scope="col">Kind and reason</th><th scope="col">Actor</th><th scope="col">Target</th><th scope="col">Until</th><th scope="col">By</th><th scope="col" class="count">Held back</th><th scope="col">State</th>{isAnalyst && <th scope="col"><span class="hidden">Lift</span></th>}</tr></thead>
          <tbody>{data.suppressions.map((s) => <Row key={`${s.sensor} ${s.id}`} s={s} isAnalyst={isAnalyst} onLift={() => void lift(s)} />)}</tbody>
        </table>
      )}
    </section>
  );
}
