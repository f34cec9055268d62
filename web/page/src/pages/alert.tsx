/* alert.tsx: one alert: what happened, why it is unusual, its packets, what to check, and what people did with it. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, may, post, type Session } from "../api";
import { useData, type StreamEvent } from "../data";
import { Hex, Problem, Severity, Span, Time, TimedText, Waiting } from "../parts";
import { linkTo } from "../route";
import { className } from "./asset-columns";
import { plain } from "./baseline-words";
import { Mute } from "./muted";

interface End { ip?: string; mac?: string; port?: number; zone?: string; level?: number | string }
interface About { asset?: string; name?: string; role?: string; model?: string }

export interface AlertDocument {
  "@timestamp": string;
  event: { id: string; severity: number; action?: string; outcome?: string };
  rule: { id: string; name: string };
  message: string;
  source?: End;
  destination?: End;
  network?: { protocol?: string; transport?: string };
  threat?: { technique?: { id: string[]; name: string[] }; tactic?: { name: string[] } };
  ot?: { name?: string; code?: string; unit?: string };
  observer?: { name?: string };
  sightglass: {
    expected?: string; seen?: string; object?: string; count: number; first_seen: string; last_seen: string; incident?: string; segment?: string;
    revision: number; status: string; severity_reasons?: { reason: string; points: number }[]; actor?: About; target?: About;
    transfer?: { name?: string; size?: number; sha256?: string; outcome?: string };
    evidence?: { packet?: number; time?: string; source?: string; byte_offset?: number; byte_size?: number; packets_kept: number };
    checks?: { soc?: string; plant?: string };
  };
}

interface Answer {
  alert: AlertDocument; triage: string; assignee: string; has_story: boolean;
  history: { time: string; by: string; state: string; assignee: string; note: string }[];
}

function Facts({ title, rows }: { title: string; rows: [string, ComponentChildren][] }) {
  const known = rows.filter(([, value]) => value !== undefined && value !== null && value !== false && value !== "");
  if (known.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <dl>{known.map(([term, value]) => [<dt key={term}>{term}</dt>, <dd key={term + "."}>{value}</dd>])}</dl>
    </>
  );
}

function Host({ end, about }: { end?: End; about?: About }) {
  if (!end) return null;
  const words = [about?.name, end.ip ?? end.mac].filter(Boolean).join(", ");
  const port = end.port && `port ${end.port}`, mac = end.ip && end.mac;
  const extra = [port, about?.role && about.role !== "unknown" && className(about.role), about?.model, end.zone && `zone ${end.zone}`, mac].filter(Boolean).join(", ");
  const name = about?.asset ? <a href={linkTo("assets", about.asset)}>{words}</a> : words;
  return <>{name}{extra && <span class="soft">, {extra}</span>}</>;
}

function Packets({ alert }: { alert: AlertDocument }) {
  const evidence = alert.sightglass.evidence;
  const { data, error } = useData<{ packets: { time: string; size: number; hex: string }[] }>(
    evidence && evidence.packets_kept > 0 ? `/api/v1/alerts/${alert.event.id}/packets` : null);
  if (!evidence) return null;
  const telling = data?.packets.findIndex((p) => p.time === evidence.time) ?? -1;
  const range = evidence.byte_size ? `${evidence.byte_offset} to ${evidence.byte_offset! + evidence.byte_size - 1}, marked below` : "";
  const shown = data?.packets[telling];
  return (
    <>
      <Facts title="Evidence" rows={[
        ["Packet", evidence.packet ? `number ${evidence.packet} of ${evidence.source}` : evidence.source],
        ["Time", evidence.time && <Time value={evidence.time} />], ["Deciding bytes", range]]} />
      {error && <Problem error={error} />}
      {shown && <Hex hex={shown.hex} from={evidence.byte_offset} size={evidence.byte_size} />}
      {evidence.packets_kept > 0
        ? <p><a class="button" href={`/api/v1/alerts/${alert.event.id}/evidence.pcap`} download="">Download {evidence.packets_kept} packets (pcap)</a></p>
        : <p class="soft">No packets were kept for this alert.</p>}
      {data && data.packets.length > 1 && (
        <details><summary>All {data.packets.length} packets</summary>
          {data.packets.map((p, i) => <div key={i}><p class="soft"><Time value={p.time} />, {p.size} bytes{i === telling && ", the deciding one"}</p><Hex hex={p.hex} /></div>)}
        </details>
      )}
    </>
  );
}

const isDevice = (end?: End) => Boolean(end?.ip ?? end?.mac);

function Work({ answer, session, onDone }: { answer: Answer; session: Session; onDone: () => void }) {
  const [note, setNote] = useState("");
  const [error, setError] = useState<Error>();
  const said = useRef<HTMLParagraphElement>(null);
  const id = answer.alert.event.id;
  const send = (change: { state?: string; assignee?: string }) =>
    post("/api/v1/alerts/triage", { ids: [id], note, ...change }).then(() => { setNote(""); setError(undefined); onDone(); said.current?.focus(); }, setError);
  return (
    <>
      <h3>Work</h3>
      <p ref={said} tabIndex={-1} role="status">{answer.triage === "new" ? "Nobody has looked at this yet." : `This alert is ${answer.triage}.`}{answer.assignee && ` Assigned to ${answer.assignee}.`}</p>
      {answer.history.length > 0 && (
        <ul class="history">{answer.history.map((h, i) => <li key={i}><Time value={h.time} /> {h.by}: {h.state}{h.assignee && `, assigned to ${h.assignee}`}{h.note && <>, “{h.note}”</>}</li>)}</ul>
      )}
      {may(session.role, "analyst") && session.has_users && (
        <div class="work">
          <label>Note <textarea rows={2} maxLength={2000} value={note} onInput={(e) => setNote((e.target as HTMLTextAreaElement).value)} /></label>
          <p class="buttons">
            {answer.triage === "new" && <button type="button" onClick={() => void send({ state: "acknowledged" })}>Acknowledge</button>}
            {answer.triage !== "closed" ? <button type="button" class="primary" onClick={() => void send({ state: "closed" })}>Close</button> : <button type="button" onClick={() => void send({ state: "new" })}>Open again</button>}
            {answer.assignee !== session.user && <button type="button" onClick={() => void send({ assignee: session.user })}>Assign to me</button>}
            <button type="button" disabled={!note.trim()} onClick={() => void send({})}>Only add the note</button>
          </p>
        </div>
      )}
      {error && <Problem error={error} />}
      {may(session.role, "analyst") && session.has_users && <Mute id={id} actor={isDevice(answer.alert.source)} target={isDevice(answer.alert.destination)} />}
      {may(session.role, "engineer") && session.has_users && <Approve alert={answer.alert} onDone={onDone} />}
    </>
  );
}

function Approve({ alert, onDone }: { alert: AlertDocument; onDone: () => void }) {
  const [error, setError] = useState<Error>();
  const [decision, setDecision] = useState("");
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    try {
      const answer = await post<{ decision: string }>(`/api/v1/alerts/${alert.event.id}/approve`,
        { why: form.get("why"), scope: form.get("scope"), days: Number(form.get("days")) });
      setDecision(answer.decision);
      setError(undefined);
      onDone();
    } catch (e) {
      setError(e as Error);
    }
  }
  if (decision) return <p class="notice" role="status">The sensor will know within a second: {decision}. This alert stays open until somebody closes it.</p>;
  return (
    <details class="approve"><summary>This is normal: approve…</summary>
      <form onSubmit={submit}>
        <label>Why <input name="why" required maxLength={200} placeholder="change ticket, agreed practice" /></label>
        <label>For
          <select name="scope">
            <option value="pair">this actor on this target</option><option value="actor">this actor on any target</option><option value="target">this target by any actor</option>
          </select>
        </label>
        <label>Until
          <select name="days"><option value="1">one day</option><option value="7">a week</option><option value="90">90 days</option><option value="0">for ever</option></select>
        </label>
        <button type="submit">Approve</button>
        {error && <Problem error={error} />}
      </form>
    </details>
  );
}

function Techniques({ alert }: { alert: AlertDocument }) {
  const ids = alert.threat?.technique?.id ?? [], names = alert.threat?.technique?.name ?? [];
  if (ids.length === 0) return null;
  return (
    <>
      <h3>MITRE ATT&amp;CK for ICS</h3>
      <ul>{ids.map((id, i) => <li key={id}>{id} {names[i]}</li>)}</ul>
      {alert.threat?.tactic && <p class="soft">{alert.threat.tactic.name.join(", ")}</p>}
    </>
  );
}

/** turn: another number asks again. */
export function AlertDetail({ id, turn, session, news, back, onChange }: { id: string; turn: number; session: Session; news?: StreamEvent; back: string; onChange: () => void }) {
  const { data, error, isLoading, reload } = useData<Answer>(`/api/v1/alerts/${encodeURIComponent(id)}`);
  const self = useRef<HTMLElement>(null);
  useEffect(() => self.current?.focus({ preventScroll: innerWidth >= 1100 }), []);
  useEffect(() => { if (turn > 0) reload(); }, [turn]);
  useEffect(() => {
    if (news?.name === "alerts" && (news.data as { id: string }[]).some((a) => a.id === id)) reload();
  }, [news]);
  const alert = data?.alert, own = alert?.sightglass;
  const transfer = own?.transfer;
  return (
    <article class="detail" id="detail" ref={self} tabIndex={-1} aria-label="The chosen alert">
      <a class="back" href={back}>← All alerts</a>
      {error && <Problem error={error} retry={reload} />}
      {error instanceof ApiError && error.status === 404 && <p class="soft">It may be older than what the store keeps (retention.alert_days).</p>}
      {!data && isLoading && <Waiting />}
      {alert && own && (
        <>
          <p><Severity value={alert.event.severity} /> <span class="soft">{alert.rule.name} · {alert.rule.id}</span></p>
          <h2>{alert.message}</h2>
          <Facts title="Why it is unusual" rows={[["Seen", own.seen && <TimedText words={own.seen} />], ["Expected", own.expected && <TimedText words={own.expected} />]]} />
          <Facts title="What to check" rows={[["In the plant", own.checks?.plant], ["In the SOC", own.checks?.soc],
            ["Beside it", own.incident && data.has_story && <>part of a story: <a href={linkTo("stories", own.incident)}>as a timeline</a>, <a href={linkTo("alerts", "", { incident: own.incident, triage: "all" })}>as a list</a></>]]} />
          <Work answer={data} session={session} onDone={() => { reload(); onChange(); }} />
          <Facts title="What happened" rows={[
            ["Actor", alert.source && <Host end={alert.source} about={own.actor} />],
            ["Target", alert.destination && <Host end={alert.destination} about={own.target} />],
            ["Protocol", [alert.network?.protocol, alert.network?.transport].filter(Boolean).join(" over ")],
            ["Action", [alert.event.action !== alert.rule.id && plain(alert.event.action ?? ""), plain(alert.ot?.name ?? ""), alert.ot?.code && `code ${alert.ot.code}`].filter(Boolean).join(", ")],
            ["Unit", alert.ot?.unit], ["Object", own.object],
            ["Transfer", transfer && [transfer.name, transfer.size && `${transfer.size} bytes`, transfer.outcome].filter(Boolean).join(", ")],
            ["SHA-256", transfer?.sha256 && <span class="mono">{transfer.sha256}</span>],
            ["Times", <>{own.count > 1 && `${own.count} times, `}<Span from={own.first_seen} to={own.last_seen} /></>],
            ["Segment", own.segment !== "default" && own.segment]]} />
          <Packets alert={alert} />
          <Techniques alert={alert} />
          <Facts title="Record" rows={[
            ["Severity", own.severity_reasons?.map((r) => `${r.reason} (${r.points > 0 ? "+" : ""}${r.points})`).join("; ")],
            ["Revision", `${own.revision}, ${own.status}`], ["Sensor", alert.observer?.name],
            ["Id", <span class="mono">{alert.event.id}</span>]]} />
          <details><summary>As JSON</summary><pre tabIndex={0}>{JSON.stringify(alert, null, 1)}</pre></details>
        </>
      )}
    </article>
  );
}
