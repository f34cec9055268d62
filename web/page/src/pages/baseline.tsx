/* baseline.tsx: what is normal: how far learning has come, and a tab for each dimension and view. */
import { may } from "../api";
import { useData } from "../data";
import { counted, Problem } from "../parts";
import type { PageProps } from "../pages";
import { linkTo, type Route } from "../route";
import { Decisions } from "./baseline-decisions";
import { dimensions, Entries } from "./baseline-entries";
import { progressWords } from "./baseline-words";
import { WriterMatrix } from "./baseline-writers";

interface Counts { learned: number; pending: number; rejected: number }
interface Summary {
  sensor: string; settle_minutes: number; dimensions: Record<string, Counts>; pairs: { why: string; known: number; is_settled: boolean }[];
  progress: { conversations: number; operations_settled: number; objects_settled: number; operations_known: number; objects_known: number };
}

const views: [string, string][] = [...dimensions.map(([name, title]): [string, string] => [name, title]), ["writers", "Who writes to whom"], ["decisions", "Decisions"]];

function Meter({ value, label }: { value: number; label: string }) {
  return (
    <p class="meter">
      <span>{label}</span> <progress max={100} value={value} aria-label={label} /> <span class="number">{value} %</span>
    </p>
  );
}

function Progress({ summary }: { summary: Summary }) {
  const p = summary.progress;
  return (
    <section class="card progress" aria-labelledby="progress-title">
      <h2 id="progress-title">How far learning has come</h2>
      {summary.pairs.map((pair, i) => <Meter key={i} value={pair.known} label={`Who talks to whom: ${progressWords(pair.why)}`} />)}
      {p.conversations > 0 && (
        <>
          <Meter value={p.operations_known} label={`Operations: settled in ${p.operations_settled} of ${counted(p.conversations, "conversation")}`} />
          <Meter value={p.objects_known} label={`Objects and values: settled in ${p.objects_settled} of ${counted(p.conversations, "conversation")}`} />
        </>
      )}
      <p class="soft">The percentage is how much of what can come is known. What has not settled is still learned in silence; after it has settled, news is an alert. A dimension settles after {summary.settle_minutes} minutes at the earliest.</p>
    </section>
  );
}

function Tabs({ route, summary }: { route: Route; summary?: Summary }) {
  const current = route.rest || "conversations";
  return (
    <nav class="tabs" aria-label="Dimensions of the baseline">
      {views.map(([name, title]) => {
        const counts = summary?.dimensions[name];
        return (
          <a key={name} href={linkTo("baseline", name)} aria-current={name === current ? "page" : undefined}>
            {title}{counts && <span class="number"> {(counts.learned + counts.pending + counts.rejected).toLocaleString()}</span>}
            {counts && counts.pending > 0 && <>{" "}<span class="badge medium">{counts.pending.toLocaleString()} to decide</span></>}
          </a>
        );
      })}
    </nav>
  );
}

export function Baseline({ route, session }: PageProps) {
  const { data, error, reload } = useData<Summary>("/api/v1/baseline");
  const view = route.rest || "conversations";
  const canDecide = may(session.role, "engineer") && session.has_users;
  const isDimension = dimensions.some(([name]) => name === view);
  return (
    <section aria-labelledby="baseline-title">
      <div class="bar"><h1 id="baseline-title">Baseline</h1></div>
      {error && !isDimension && <Problem error={error} retry={reload} />}
      {data && isDimension && <Progress summary={data} />}
      <Tabs route={route} summary={data} />
      {isDimension && <Entries key={view} route={route} name={view} canDecide={canDecide} onChange={reload} />}
      {view === "writers" && <WriterMatrix />}
      {view === "decisions" && <Decisions route={route} canDecide={canDecide} onChange={reload} />}
      {!isDimension && view !== "writers" && view !== "decisions" && <Problem error={new Error("There is no such dimension.")} />}
    </section>
  );
}
