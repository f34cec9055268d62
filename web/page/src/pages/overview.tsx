/* overview.tsx: the first page: what needs a decision now, and whether the sensor sees enough to be believed. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useData } from "../data";
import { Bar, Empty, counted, Problem, Severity, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo } from "../route";
import type { AlertLine } from "./alerts";
import type { Story } from "./stories";

interface Rate { from: string; all: number[]; high: number[] }
interface Dimension { name: string; settled: number; scopes: number; entries: number; known?: number }
interface Vitals {
  sensor: string; at: string; is_live: boolean; lag_ms?: number;
  packets: number; packets_dropped: number; packets_malformed: number; tcp_bytes: number; tcp_gap_bytes: number;
  tcp_flows_judged: number; tcp_flows_one_sided: number; ot_flows: number; ot_flows_encrypted: number;
  sources: { name: string; packets: number; dropped: number }[];
  caps: { name: string; what: string; count: number }[];
}
interface Overview {
  open: { critical: number; high: number; all: number };
  newest: AlertLine[];
  stories: Story[];
  rate: Rate;
  protocols: { list: { name: string; messages: number; conversations: number }[]; messages: number };
  sensor: { vitals: Vitals[]; troubles: AlertLine[]; conversations: number; encrypted: number; outbox_messages: number; outbox_lost: number; evidence_bytes: number };
  learning: { dimensions: Dimension[]; pending: number };
  assets: number;
  muted: number;
  last_seen?: string;
}

const RELOAD_MS = 3000;

function Tile({ value, one, many, href, tone }: { value: number; one: string; many: string; href: string; tone?: "critical" | "high" }) {
  return <li><a class={`tile ${value > 0 && tone ? `is-${tone}` : ""}`} href={href}><strong>{value.toLocaleString()}</strong> {value === 1 ? one : many}</a></li>;
}

function Card({ title, id, children }: { title: string; id: string; children: ComponentChildren }) {
  return <section class="card panel" aria-labelledby={id}><h2 id={id}>{title}</h2>{children}</section>;
}

function Waits({ data }: { data: Overview }) {
  return (
    <Card title="What needs a decision now" id="decide">
      <ul class="tiles">
        <Tile value={data.open.critical} one="critical alert open" many="critical alerts open" href={linkTo("alerts", "", { severity: "9" })} tone="critical" />
        <Tile value={data.open.high} one="high alert open" many="high alerts open" href={linkTo("alerts", "", { severity: "7" })} tone="high" />
        <Tile value={data.open.all} one="alert open in all" many="alerts open in all" href={linkTo("alerts")} />
        <Tile value={data.learning.pending} one="new conversation, not yet normal" many="new conversations, not yet normal" href={linkTo("baseline", "conversations", { state: "pending" })} />
        <Tile value={data.muted} one="kind of alert is muted" many="kinds of alert are muted" href={linkTo("muted")} />
      </ul>
      {data.newest.length === 0 && <Empty>Nothing grave is open. New alerts appear here by themselves.</Empty>}
      {data.newest.length > 0 && (
        <table class="cards">
          <caption>Open alerts, critical ones before high ones, newest first</caption>
          <thead><tr><th scope="col">Severity</th><th scope="col">What happened</th><th scope="col">Last seen</th></tr></thead>
          <tbody>
            {data.newest.map((alert) => (
              <tr key={alert.id}>
                <td><Severity value={alert.severity} /></td>
                <td><a href={linkTo("alerts", alert.id)}>{alert.message}</a>{alert.triage !== "new" && <span class="rule">{alert.triage}{alert.assignee && ` by ${alert.assignee}`}</span>}</td>
                <td class="when" data-label="Last seen"><Time value={alert.last_seen} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function Stories({ stories }: { stories: Story[] }) {
  return (
    <Card title="Open stories" id="stories">
      <p class="soft">Alerts that belong together, told as one.</p>
      {stories.length === 0 && <Empty>No story is open.</Empty>}
      <ul class="plain">
        {stories.map((story) => (
          <li key={story.id}><Severity value={story.severity} /> <a href={linkTo("stories", story.id)}>{story.title}</a> <span class="soft">{counted(story.alerts, "alert")}, <Time value={story.last_seen} /></span></li>
        ))}
      </ul>
      <p><a href={linkTo("stories")}>All stories</a></p>
    </Card>
  );
}

const HOUR_MS = 3600000, CHART_HEIGHT = 70;
const hourName = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });

function RateChart({ rate }: { rate: Rate }) {
  const most = Math.max(1, ...rate.all), total = rate.all.reduce((a, b) => a + b, 0);
  const start = new Date(rate.from).getTime();
  const nameOf = (hour: number) => hourName.format(new Date(start + hour * HOUR_MS));
  const height = (n: number) => (n * CHART_HEIGHT) / most;
  const busiest = rate.all.indexOf(Math.max(...rate.all));
  const words = total === 0 ? "No alerts began in these hours." : total === most ? `${counted(total, "alert")}, all in the hour from ${nameOf(busiest)}.` : `${total.toLocaleString()} alerts; most of them, ${rate.all[busiest]}, in the hour from ${nameOf(busiest)}.`;
  return (
    <Card title={`Alerts per hour, last ${rate.all.length} hours`} id="rate">
      <svg class="rate" viewBox={`0 0 ${rate.all.length * 10} ${CHART_HEIGHT + 2}`} preserveAspectRatio="none" role="img" aria-label={words}>
        {rate.all.map((n, i) => (
          <g key={i}>
            <title>{`${nameOf(i)}: ${n} alerts, ${rate.high[i]} high or critical`}</title>
            <rect class="hour" x={i * 10} y={0} width={10} height={CHART_HEIGHT} />
            <rect class="all" x={i * 10 + 1} y={CHART_HEIGHT - height(n)} width={8} height={height(n)} />
            <rect class="grave" x={i * 10 + 1} y={CHART_HEIGHT - height(rate.high[i]!)} width={8} height={height(rate.high[i]!)} />
          </g>
        ))}
        <rect class="ground" x={0} y={CHART_HEIGHT} width={rate.all.length * 10} height={1} />
      </svg>
      <p class="ends soft"><span>{nameOf(0)}</span><span>{nameOf(rate.all.length - 1)}</span></p>
      <p>{words} <span class="key"><span><i class="all" /> all</span> <span><i class="grave" /> high and critical</span></span></p>
    </Card>
  );
}

function Protocols({ protocols }: { protocols: Overview["protocols"] }) {
  const most = protocols.list[0]?.messages ?? 1;
  const share = (n: number) => { const percent = (100 * n) / Math.max(1, protocols.messages); return percent < 1 ? "<\u00a01\u00a0%" : `${Math.round(percent)}\u00a0%`; };
  return (
    <Card title="What is spoken" id="protocols">
      {protocols.list.length === 0 && <Empty>Nothing has been heard yet. Is the mirror port connected? <code>sightglass doctor</code> looks.</Empty>}
      {protocols.list.length > 0 && (
        <table class="figures">
          <thead><tr><th scope="col">Protocol</th><th scope="col"><span class="hidden">Drawn</span></th><th scope="col" class="count">Share</th><th scope="col" class="count">Conversations</th></tr></thead>
          <tbody>
            {protocols.list.map((p) => (
              <tr key={p.name}><th scope="row">{p.name}</th><td><Bar value={p.messages} most={most} /></td><td class="count">{share(p.messages)}</td><td class="count">{p.conversations}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

const checks: [string, string, string][] = [
  ["sensor.no-traffic", "Traffic", "arrives"], ["sensor.packet-loss", "Lost packets", "none told"], ["sensor.one-sided", "Both directions", "are seen"],
  ["sensor.blind-encrypted", "Encryption", "no more than before"], ["sensor.resource", "Clock, disk, speed", "in order"], ["sensor.output-failing", "Delivery of alerts", "works, as far as outputs are set"],
];

/* "0 %", "< 0.1 %", "12 %", in one piece */
function share(part: number, all: number): string {
  const percent = all > 0 ? (100 * part) / all : 0;
  return part === 0 ? "0\u00a0%" : percent < 0.1 ? "<\u00a00.1\u00a0%" : `${percent.toFixed(percent < 10 ? 1 : 0)}\u00a0%`;
}

/* A figure, and whether it is one to worry about: then it says so in words, not in colour alone. */
function Figure({ isBad, children }: { isBad: boolean; children: ComponentChildren }) {
  return <span class={isBad ? "bad" : "good"}>{isBad ? "⚠" : "✓"} {children}</span>;
}

const LOSS_BAD = 0.01, LAG_BAD_MS = 5000, ONE_SIDED_BAD = 0.5;

/* What the sensor counted in its run: figures, not the absence of complaints. */
function Counted({ vitals }: { vitals: Vitals }) {
  const v = vitals, received = v.packets + v.packets_dropped, gaps = v.tcp_bytes + v.tcp_gap_bytes;
  const n = (count: number) => count.toLocaleString();
  if (received === 0)
    return <><dt>Packets read</dt><dd><span class="bad">⚠ none yet</span>: is the mirror port connected? <code>sightglass doctor</code> looks.</dd></>;
  return (
    <>
      <dt>Packets read</dt>
      <dd>{n(v.packets)}{v.is_live ? ", live" : ", from files"}{v.sources.length > 1 && ` (${v.sources.map((s) => `${s.name}: ${n(s.packets)}`).join(", ")})`}</dd>
      <dt>Dropped before us</dt>
      <dd><Figure isBad={v.packets_dropped > LOSS_BAD * received}>{n(v.packets_dropped)} packets ({share(v.packets_dropped, received)})</Figure></dd>
      <dt>Missing inside connections</dt>
      <dd><Figure isBad={v.tcp_gap_bytes > LOSS_BAD * gaps}>{n(v.tcp_gap_bytes)} bytes ({share(v.tcp_gap_bytes, gaps)})</Figure></dd>
      <dt>One direction only</dt>
      <dd><Figure isBad={v.tcp_flows_one_sided > ONE_SIDED_BAD * v.tcp_flows_judged}>{n(v.tcp_flows_one_sided)} of {n(v.tcp_flows_judged)} connections</Figure></dd>
      <dt>Blind</dt>
      <dd>{n(v.ot_flows_encrypted)} of {n(v.ot_flows)} sessions with controllers are encrypted ({share(v.ot_flows_encrypted, v.ot_flows)})</dd>
      {v.lag_ms !== undefined && <><dt>Behind</dt><dd><Figure isBad={Math.abs(v.lag_ms) > LAG_BAD_MS}>{n(v.lag_ms)} ms behind the wall clock</Figure></dd></>}
      <dt>Limits reached</dt>
      <dd>{v.caps.length === 0 ? <span class="good">✓ none</span> : <ul class="plain">{v.caps.map((c) => <li key={c.name}><span class="bad">⚠ {n(c.count)}</span> {c.what}</li>)}</ul>}</dd>
    </>
  );
}

function Health({ data }: { data: Overview }) {
  const { sensor } = data;
  const open = new Map(sensor.troubles.filter((t) => t.triage !== "closed").map((t) => [t.rule, t]));
  return (
    <Card title="Can the sensor see?" id="health">
      {sensor.vitals.length === 0 && <p class="soft">No sensor has written its figures into this store yet; one that runs does every ten seconds.</p>}
      {sensor.vitals.map((v) => (
        <section key={v.sensor} aria-label={`Sensor ${v.sensor}`}>
          {sensor.vitals.length > 1 && <h3>{v.sensor}</h3>}
          <dl class="facts"><dt>Last packet</dt><dd><Time value={v.at} /></dd><Counted vitals={v} /></dl>
        </section>
      ))}
      <dl class="facts">
        {sensor.vitals.length === 0 && <><dt>Last packet</dt><dd><Time value={data.last_seen} /></dd></>}
        {checks.filter(([rule]) => open.has(rule) || sensor.vitals.length === 0).map(([rule, name, good]) => {
          const trouble = open.get(rule);
          return [
            <dt key={rule}>{name}</dt>,
            <dd key={rule + "."}>{trouble ? <><Severity value={trouble.severity} /> <a href={linkTo("alerts", trouble.id)}>{trouble.message}</a> <span class="soft"><Time value={trouble.last_seen} /></span></> : <span class="good">✓ {good}</span>}</dd>,
          ];
        })}
        <dt>Learned conversations</dt><dd>{sensor.encrypted.toLocaleString()} of {sensor.conversations.toLocaleString()} are encrypted ({share(sensor.encrypted, sensor.conversations)}): who talks is seen, what they say is not</dd>
        <dt>For outputs</dt><dd>{sensor.outbox_messages.toLocaleString()} messages are kept until every output has them{sensor.outbox_lost > 0 && <>, <strong>{sensor.outbox_lost.toLocaleString()} left before every output had them</strong></>}</dd>
        <dt>Devices</dt><dd><a href={linkTo("assets")}>{data.assets.toLocaleString()} known</a></dd>
      </dl>
    </Card>
  );
}

const dimensionWords: Record<string, [string, string]> = {
  hosts: ["Devices", "networks"], conversations: ["Who talks to whom", "sets of pairs"], operations: ["What they ask for", "conversations"], objects: ["Which objects", "conversations"],
};

function Learning({ learning }: { learning: Overview["learning"] }) {
  return (
    <Card title="How far it has learned" id="learning">
      <p class="soft">What has settled is judged; what is still learning is not told as new.</p>
      {learning.dimensions.every((d) => d.scopes === 0) && <Empty>Nothing has been learned yet.</Empty>}
      <table class="figures">
        <thead><tr><th scope="col">Dimension</th><th scope="col"><span class="hidden">Drawn</span></th><th scope="col" class="count">Settled</th><th scope="col" class="count">Known</th></tr></thead>
        <tbody>
          {learning.dimensions.map((d) => {
            const [name, scope] = dimensionWords[d.name] ?? [d.name, "scopes"];
            return (
              <tr key={d.name}>
                <th scope="row">{name} <span class="rule">{d.entries.toLocaleString()} learned</span></th>
                <td><Bar value={d.settled} most={d.scopes} /></td>
                <td class="count">{d.settled} of {d.scopes} <span class="rule">{scope}</span></td>
                <td class="count">{d.known === undefined ? "" : `${d.known} %`}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

export function Overview({ news }: PageProps) {
  const { data, error, isLoading, reload } = useData<Overview>("/api/v1/overview");
  const timer = useRef<number>();
  useEffect(() => {
    if (news?.name !== "alerts" && news?.name !== "stories" && news?.name !== "status") return;
    if (timer.current === undefined) timer.current = setTimeout(() => { timer.current = undefined; reload(); }, RELOAD_MS);
  }, [news]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <section aria-labelledby="overview-title">
      <div class="bar"><h1 id="overview-title">Overview</h1></div>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && (
        <div class="panels">
          <div><Waits data={data} /><Stories stories={data.stories} /></div>
          <div><RateChart rate={data.rate} /><Health data={data} /><Learning learning={data.learning} /><Protocols protocols={data.protocols} /></div>
        </div>
      )}
    </section>
  );
}
