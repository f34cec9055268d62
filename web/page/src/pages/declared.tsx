/* declared.tsx: the plant's own list of its devices beside what was seen: what is missing, extra, different; and the form that brings it. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { may, post, remove } from "../api";
import { useData } from "../data";
import { Danger, Empty, Problem, counted, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo } from "../route";
import { titleOf } from "./asset-columns";

interface Line { line?: number; asset_id?: string; name?: string; ip?: string; mac?: string; serial_number?: string; column?: string; declared?: string; seen?: string; why?: string }
interface Declared {
  list: { name: string; by: string; rows: number; time: string } | null; different: Line[]; extra: Line[]; missing: Line[];
  counts: { different: number; extra: number; missing: number };
}

/** Of the API: a request is no longer than this. */
const LIST_BYTES_MAX = 200000;

function Bring({ hasOne, onDone }: { hasOne: boolean; onDone: (words: string) => void }) {
  const [error, setError] = useState<Error>();
  const form = useRef<HTMLFormElement>(null);
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const file = new FormData(form.current!).get("list") as File;
    try {
      if (file.size > LIST_BYTES_MAX) throw new Error("The list is longer than the console takes: bring it with sightglass assets import.");
      const answer = await post<{ rows: number; passed_over: string }>("/api/v1/declared", { text: await file.text(), name: file.name });
      form.current!.reset();
      setError(undefined);
      onDone(`${counted(answer.rows, "device is", "devices are")} declared.${answer.passed_over && ` Columns without a meaning here were passed over: ${answer.passed_over}.`}`);
    } catch (e) {
      setError(e as Error);
    }
  }
  return (
    <form class="filters" ref={form} onSubmit={submit} aria-label="Bring the plant's list">
      <label>List (CSV) <input type="file" name="list" accept=".csv,text/csv,text/plain" required /></label>
      <button type="submit" class="primary">{hasOne ? "Replace the list" : "Compare"}</button>
      {error && <Problem error={error} />}
    </form>
  );
}

/** The device as it is best known, with a link when it was seen. */
function Device({ line }: { line: Line }) {
  const name = line.name ?? line.ip ?? line.mac ?? line.serial_number ?? line.asset_id ?? "unnamed";
  const more = [line.ip, line.mac, line.serial_number].filter((value) => value && value !== name).join(", ");
  return <>{line.asset_id ? <a href={linkTo("assets", line.asset_id)}>{name}</a> : name}{more && <span class="rule">{more}</span>}</>;
}

function Part({ title, about, lines, count, head, row }: { title: string; about: string; lines: Line[]; count: number; head: string[]; row: (line: Line) => ComponentChildren }) {
  const id = `declared-${title.toLowerCase()}`;
  return (
    <section class="part" aria-labelledby={id}>
      <h2 id={id}>{title} <span class="number">{count.toLocaleString()}</span></h2>
      <p class="soft">{about}</p>
      {count === 0 ? <Empty>None.</Empty> : (
        <div class="wide" tabIndex={0} role="region" aria-labelledby={id}>
          <table class="cards"><thead><tr>{head.map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead><tbody>{lines.map((line, i) => <tr key={i}>{row(line)}</tr>)}</tbody></table>
        </div>
      )}
      {lines.length < count && <p class="soft">The first {lines.length.toLocaleString()}; <code>sightglass assets diff</code> prints all of them.</p>}
    </section>
  );
}

const Place = ({ line }: { line: Line }) => <td data-label="Line">{line.line}</td>;

function Differences({ data }: { data: Declared }) {
  return (
    <>
      <Part title="Missing" about="Declared, and never seen: switched off, elsewhere, or never there." lines={data.missing} count={data.counts.missing} head={["Device", "Why", "Line of the list"]}
        row={(l) => <><td><Device line={l} /></td><td data-label="Why">{l.why || "nobody saw it"}</td><Place line={l} /></>} />
      <Part title="Extra" about="Seen, and nobody declared it." lines={data.extra} count={data.counts.extra} head={["Device"]} row={(l) => <td><Device line={l} /></td>} />
      <Part title="Different" about="Declared as one thing, seen as another. What one of both does not know is no difference." lines={data.different} count={data.counts.different}
        head={["Device", "Column", "Declared", "Seen", "Line of the list"]}
        row={(l) => <><td><Device line={l} /></td><td data-label="Column">{titleOf(l.column ?? "")}</td><td data-label="Declared">{l.declared}</td><td data-label="Seen">{l.seen}</td><Place line={l} /></>} />
    </>
  );
}

export function DeclaredPage({ session }: PageProps) {
  const { data, error, isLoading, reload } = useData<Declared>("/api/v1/declared");
  const [failed, setFailed] = useState<Error>();
  const [done, setDone] = useState("");
  const isEngineer = may(session.role, "engineer") && session.has_users;
  const told = (words: string) => { setDone(words); setFailed(undefined); reload(); };
  return (
    <section aria-labelledby="declared-title">
      <a class="back" href={linkTo("assets")}>← All assets</a>
      <div class="bar"><h1 id="declared-title">The plant's own list</h1>
        {isEngineer && data && <Bring hasOne={data.list !== null} onDone={told} />}</div>
      {(error || failed) && <Problem error={(failed ?? error)!} retry={() => { setFailed(undefined); reload(); }} />}
      {done && <p class="notice" role="status">{done}</p>}
      {!data && isLoading && <Waiting />}
      {data && !data.list && <Empty>Nobody brought a list yet. {isEngineer ? "Choose the spreadsheet, CMDB or NetBox export of the plant as CSV: a row is found by MAC, serial number, IP or name." : "An engineer can bring the plant's spreadsheet, CMDB or NetBox export as CSV."}</Empty>}
      {data?.list && (
        <p class="buttons"><span>{counted(data.list.rows, "device")} of {data.list.name}, <Time value={data.list.time} />{data.list.by && ` by ${data.list.by}`}.</span>{" "}
          {isEngineer && <Danger label="Remove" question="Remove the list?" onConfirm={() => void remove("/api/v1/declared").then(() => told("The list was removed."), setFailed)} />}</p>
      )}
      {data?.list && <Differences data={data} />}
    </section>
  );
}
