/* stories.tsx: alerts that belong together: the list of stories, and one as a timeline. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { get, may, post, query, type Session } from "../api";
import { useData, type StreamEvent } from "../data";
import { Empty, Problem, counted, Severity, Span, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, setQuery, type Route } from "../route";
import type { AlertLine } from "./alerts";

export interface Story {
  sensor: string; id: string; severity: number; first_seen: string; last_seen: string; alerts: number; status: string; title: string;
  tactics: string[]; actors: string[]; targets: string[]; is_open?: boolean;
}
interface StoryList { stories: Story[]; has_more: boolean; total: number }
interface StoryAlert extends AlertLine { tactics: string[]; techniques: string[] }
interface Answer { story: { id: string; title: string; severity: number; first_seen: string; last_seen: string; tactics: string[]; alerts_total: number; status: string }; alerts: StoryAlert[] }

const PAGE_SIZE = 50;

/** "initial-access" as people write it. */
export function tacticName(tactic: string): string {
  const words = tactic.replace(/-/g, " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Filters({ route }: { route: Route }) {
  const timer = useRef<number>();
  const value = (key: string) => route.query.get(key) ?? "";
  const chosen = (key: string) => (event: Event) => setQuery(route, key, (event.target as HTMLSelectElement).value);
  const typed = (event: Event) => {
    const text = (event.target as HTMLInputElement).value;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery(route, "q", text.trim()), 250);
  };
  return (
    <form class="filters" role="search" aria-label="Filter stories" onSubmit={(e) => e.preventDefault()}>
      <label>Severity{" "}
        <select value={value("severity") || "1"} onChange={chosen("severity")}>
          <option value="1">all</option><option value="5">from medium</option><option value="7">from high</option><option value="9">critical</option>
        </select>
      </label>
      <label>State <select value={value("state") || "open"} onChange={chosen("state")}><option value="open">open</option><option value="all">all</option></select></label>
      <label>Find <input type="search" defaultValue={value("q")} placeholder="address or name" onInput={typed} autocomplete="off" spellcheck={false} /></label>
    </form>
  );
}

function Work({ alerts, onDone }: { alerts: StoryAlert[]; onDone: () => void }) {
  const [note, setNote] = useState("");
  const [error, setError] = useState<Error>();
  const open = alerts.filter((a) => a.triage !== "closed").map((a) => a.id);
  if (open.length === 0) return <p>Every alert of this story is closed.</p>;
  const send = (state: string) => post("/api/v1/alerts/triage", { ids: open, state, note }).then(() => { setNote(""); setError(undefined); onDone(); }, setError);
  return (
    <div class="work">
      <label>Note for all of them <textarea rows={2} maxLength={2000} value={note} onInput={(e) => setNote((e.target as HTMLTextAreaElement).value)} /></label>
      <p class="buttons">
        <button type="button" onClick={() => void send("acknowledged")}>Acknowledge all {open.length}</button>
        <button type="button" class="primary" onClick={() => void send("closed")}>Close all {open.length}</button>
      </p>
      {error && <Problem error={error} />}
    </div>
  );
}

function Timeline({ alerts }: { alerts: StoryAlert[] }) {
  return (
    <ol class="timeline">
      {alerts.map((alert) => (
        <li key={alert.id}>
          <p class="soft"><Time value={alert.first_seen} /> {alert.tactics.map((t) => <span class="chip" key={t}>{tacticName(t)}</span>)} {alert.techniques.join(" ")}</p>
          <p><Severity value={alert.severity} /> <a href={linkTo("alerts", alert.id, { triage: "all" })}>{alert.message}</a></p>
          <p class="rule">{alert.rule_name} · <span class="nobr">{alert.rule}</span>{alert.count > 1 && ` · ${alert.count} times until `}{alert.count > 1 && <Time value={alert.last_seen} />}{alert.triage !== "new" && ` · ${alert.triage}`}</p>
        </li>
      ))}
    </ol>
  );
}

function StoryDetail({ id, session, news, back, onChange }: { id: string; session: Session; news?: StreamEvent; back: string; onChange: () => void }) {
  const { data, error, isLoading, reload } = useData<Answer>(`/api/v1/stories/${encodeURIComponent(id)}`);
  const self = useRef<HTMLElement>(null);
  useEffect(() => self.current?.focus({ preventScroll: innerWidth >= 1100 }), []);
  useEffect(() => {
    if (news?.name === "stories" || (news?.name === "alerts" && (news.data as AlertLine[]).some((a) => a.incident === id))) reload();
  }, [news]);
  const story = data?.story;
  return (
    <article class="detail" id="detail" ref={self} tabIndex={-1} aria-label="The chosen story">
      <a class="back" href={back}>← All stories</a>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && story && (
        <>
          <p><Severity value={story.severity} /> <span class="soft">{counted(story.alerts_total, "alert")}, <Span from={story.first_seen} to={story.last_seen} />{story.status === "growing" && ", still growing"}</span></p>
          <h2>{story.title}</h2>
          {story.tactics.length > 0 && (
            <>
              <h3>Tactics of ATT&amp;CK for ICS, in their order</h3>
              <ol class="steps">{story.tactics.map((t) => <li key={t}><span class="chip">{tacticName(t)}</span></li>)}</ol>
            </>
          )}
          {may(session.role, "analyst") && session.has_users && <><h3>Work</h3><Work alerts={data.alerts} onDone={() => { reload(); onChange(); }} /></>}
          <h3>What happened when</h3>
          <Timeline alerts={data.alerts} />
          {data.alerts.length < story.alerts_total && <p class="soft">{story.alerts_total - data.alerts.length} more are no longer kept, or beyond the first {data.alerts.length}.</p>}
          <p><a class="button" href={linkTo("alerts", "", { incident: story.id, triage: "all" })}>As a list of alerts</a></p>
        </>
      )}
    </article>
  );
}

export function Stories({ route, session, news }: PageProps) {
  const filter = useMemo(() => ({ severity: route.query.get("severity") ?? "", state: route.query.get("state") ?? "open", q: route.query.get("q") ?? "", limit: PAGE_SIZE }), [route]);
  const path = "/api/v1/stories" + query(filter);
  const first = useData<StoryList>(path);
  const [more, setMore] = useState<{ path: string; list: Story[]; hasMore: boolean }>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    if (news?.name === "alerts" || news?.name === "stories") first.reload();
  }, [news]);
  const further = more?.path === path ? more : undefined;
  const stories = [...(first.data?.stories ?? []), ...(further?.list ?? [])];
  async function showMore() {
    try {
      const next = await get<StoryList>("/api/v1/stories" + query({ ...filter, skip: stories.length }));
      setMore({ path, list: [...(further?.list ?? []), ...next.stories], hasMore: next.has_more });
    } catch (e) {
      setError(e as Error);
    }
  }
  return (
    <div class={`split ${route.rest ? "has-detail" : ""}`}>
      <section class="list" aria-labelledby="stories-title">
        <div class="bar"><h1 id="stories-title">Stories</h1><Filters route={route} /></div>
        {(first.error || error) && <Problem error={(first.error ?? error)!} retry={() => { setError(undefined); first.reload(); }} />}
        {!first.data && first.isLoading && <Waiting />}
        {first.data && stories.length === 0 && <Empty>{first.data.total > 0 ? "No story fits these filters." : "No stories: a story begins when alerts of several kinds have one actor or one target in common."}</Empty>}
        {stories.length > 0 && (
          <table class="cards stories">
            <thead><tr><th scope="col">Severity</th><th scope="col">Story</th><th scope="col" class="count">Alerts</th><th scope="col">Last seen</th></tr></thead>
            <tbody>
              {stories.map((story) => (
                <tr key={story.id} class={story.id === route.rest ? "is-chosen" : ""}>
                  <td><Severity value={story.severity} /></td>
                  <td><a href={linkTo("stories", story.id, route.query)} aria-current={story.id === route.rest ? "true" : undefined}>{story.title}</a><span class="rule">{story.tactics.map(tacticName).join(" → ")}{story.is_open === false && " · closed"}</span></td>
                  <td class="count" data-label="Alerts">{story.alerts}</td>
                  <td class="when" data-label="Last seen"><Time value={story.last_seen} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {(further ? further.hasMore : first.data?.has_more) && <button type="button" class="more" onClick={() => void showMore()}>Show older stories</button>}
      </section>
      {route.rest && <StoryDetail key={route.rest} id={route.rest} session={session} news={news} back={linkTo("stories", "", route.query)} onChange={first.reload} />}
    </div>
  );
}
