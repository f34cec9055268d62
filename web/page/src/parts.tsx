/* parts.tsx: what several pages show in the same way. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "./api";

export function severityName(severity: number): "critical" | "high" | "medium" | "low" | "info" {
  return severity >= 9 ? "critical" : severity >= 7 ? "high" : severity >= 5 ? "medium" : severity >= 3 ? "low" : "info";
}

export function Severity({ value }: { value: number }) {
  const name = severityName(value);
  return <span class={`badge ${name}`}>{name} {value}</span>;
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** In the reader's own zone; UTC when pointed at. The beginning of 1970 is what a clock says that was never set. */
export function Time({ value }: { value?: string | null }) {
  if (!value || Date.parse(value) === 0) return <span class="soft">never</span>;
  return <time dateTime={value} title={value.replace(/\.\d+Z$/, "Z") + " UTC"}>{clock.format(new Date(value))}</time>;
}

/** The reader's local time of an input as the API wants it; "" when it is none. */
export function timeOf(local: string): string {
  const time = new Date(local);
  return local && !Number.isNaN(time.getTime()) ? time.toISOString() : "";
}

/** "1 host", "1,007 hosts". */
export const counted = (n: number, word: string, many = word + "s") => `${n.toLocaleString()} ${n === 1 ? word : many}`;

/** From one time to another; those within the same second are one. */
export function Span({ from, to }: { from: string; to: string }) {
  const isOne = Math.floor(Date.parse(from) / 1000) === Math.floor(Date.parse(to) / 1000);
  return isOne ? <Time value={from} /> : <><Time value={from} /> to <Time value={to} /></>;
}

/** Words that have times of the API among them ("2026-01-31T13:46:10Z", "2026-01-31 13:46 UTC"): these are shown as all times are. */
export function TimedText({ words }: { words: string }) {
  const pieces = words.split(/(\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z| \d\d:\d\d UTC))/);
  return <>{pieces.map((piece, i) => (i % 2 ? <Time key={i} value={piece.replace(" ", "T").replace(" UTC", "Z")} /> : piece))}</>;
}

/** The API answers in half sentences; people read whole ones. */
function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(text) ? text : text + ".";
}

/** What is not there, or not allowed, does not come by asking again. */
export function Problem({ error, retry }: { error: Error; retry?: () => void }) {
  const isFinal = error instanceof ApiError && (error.status === 403 || error.status === 404);
  return (
    <p class="problem" role="alert">
      {sentence(error.message)} {retry && !isFinal && <button type="button" onClick={retry}>Try again</button>}
    </p>
  );
}

/** Shows nothing for the first 300 ms: most answers are there by then. */
export function Waiting() {
  return <p class="waiting" role="status">Loading…</p>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A value beside others, drawn; the number itself stands in the text beside it. */
export function Bar({ value, most }: { value: number; most: number }) {
  return (
    <svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="ground" width={100} height={8} /><rect class="all" width={most > 0 ? (100 * value) / most : 0} height={8} />
    </svg>
  );
}

/** A button that asks once more before it does something that cannot be taken back. */
export function Danger({ label, question, onConfirm }: { label: string; question: string; onConfirm: () => void }) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) return <button type="button" onClick={() => setAsking(true)}>{label}</button>;
  return (
    <span role="group" aria-label={question}>
      {question} <button type="button" class="danger" onClick={() => { setAsking(false); onConfirm(); }}>Yes, {label.toLowerCase()}</button>{" "}
      <button type="button" onClick={() => setAsking(false)}>No</button>
    </span>
  );
}

/** Bytes as hex with a text column; those in [from, from + size) are marked. */
export function Hex({ hex, from = -1, size = 0 }: { hex: string; from?: number; size?: number }) {
  const bytes = hex.match(/../g) ?? [];
  const lines = [], width = matchMedia("(max-width: 700px)").matches ? 8 : 16;
  for (let at = 0; at < bytes.length; at += width) lines.push(at);
  const isTelling = (i: number) => i >= from && i < from + size;
  const printable = (byte: string) => { const c = parseInt(byte, 16); return c >= 0x20 && c < 0x7f ? String.fromCharCode(c) : "."; };
  const pieces = (at: number, show: (byte: string) => string) =>
    bytes.slice(at, at + width).map((byte, i) => isTelling(at + i) ? <mark key={i}>{show(byte)}</mark> : <span key={i}>{show(byte)}</span>);
  return (
    <pre class="hex" tabIndex={0} aria-label="Packet bytes">
      {lines.map((at) => (
        <div key={at}><span class="soft">{at.toString(16).padStart(4, "0")}  </span><span class="bytes">{pieces(at, (b) => b + " ")}</span> <span class="text">{pieces(at, printable)}</span></div>
      ))}
    </pre>
  );
}
