/* baseline-writers.tsx: who writes to whom. */
import { useState } from "preact/hooks";
import { query } from "../api";
import { useData } from "../data";
import { Empty, Problem, Waiting } from "../parts";
import { linkTo } from "../route";

interface Write { actor: string; target: string; protocol: string; operation: string; state: string; count: number; first_seen: string; last_seen: string; is_engineering: boolean }
interface Writers { writes: Write[]; hosts: Record<string, { asset?: string; name?: string }>; total: number }

/** As many as the server tells without being asked for a number. */
const PAIRS = 50, PAIRS_MAX = 2000;

function HostName({ host, hosts }: { host: string; hosts: Writers["hosts"] }) {
  const known = hosts[host];
  return <>{known?.asset ? <a href={linkTo("assets", known.asset)}>{host}</a> : host}{known?.name && <span class="rule">{known.name}</span>}</>;
}

function Cell({ writes }: { writes: Write[] }) {
  return (
    <ul class="plain">
      {writes.map((w) => (
        <li key={w.protocol + w.operation + w.state} title={`${w.count} times, ${w.state}`}>
          <span class={w.state === "learned" ? "" : "telling"}>{w.is_engineering ? <strong>{w.operation.replaceAll("_", " ")}</strong> : w.operation.replaceAll("_", " ")}</span>{" "}
          <span class="soft">{w.protocol}{w.state !== "learned" && `, ${w.state === "pending" ? "to decide" : w.state}`}</span>
        </li>
      ))}
    </ul>
  );
}

export function WriterMatrix() {
  const [pairs, setPairs] = useState(PAIRS);
  const { data, error, isLoading, reload } = useData<Writers>("/api/v1/baseline/writers" + query({ limit: pairs === PAIRS ? undefined : pairs }));
  const actors = [...new Set(data?.writes.map((w) => w.actor))], targets = [...new Set(data?.writes.map((w) => w.target))];
  const of = (actor: string, target: string) => data!.writes.filter((w) => w.actor === actor && w.target === target);
  return (
    <section aria-label="Who writes to whom">
      <p class="soft">Who changes, starts, stops or programs whom. Rows act, columns are acted on; engineering actions are bold.</p>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && actors.length === 0 && <Empty>Nobody has written anything yet.</Empty>}
      {data && actors.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Matrix, scrolls sideways">
          <table class="matrix">
            <thead><tr><th scope="col">Actor</th>{targets.map((t) => <th key={t} scope="col"><HostName host={t} hosts={data.hosts} /></th>)}</tr></thead>
            <tbody>
              {actors.map((a) => (
                <tr key={a}>
                  <th scope="row"><HostName host={a} hosts={data.hosts} /></th>
                  {targets.map((t) => { const writes = of(a, t); return <td key={t}>{writes.length > 0 && <Cell writes={writes} />}</td>; })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.total > pairs && <p class="soft">These are the {pairs} pairs that did most, of {data.total.toLocaleString()}.{" "}
        {pairs < PAIRS_MAX && <button type="button" onClick={() => setPairs(Math.min(2 * pairs, PAIRS_MAX))}>Show more pairs</button>}</p>}
    </section>
  );
}
