/* chart.ts: values over time with the band that was learned. Loaded only by the page of variables: it brings uPlot along. */
import uPlot from "uplot";

export interface Dot { time: number; value: number }
/** low and high: the band; states: single values that are normal instead. */
export interface Band { low: number | null; high: number | null; states: number[] }

const HEIGHT = 320, SPAN_LEAST_S = 600;

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function isNormal(value: number, band: Band): boolean {
  if (band.states.length > 0) return band.states.includes(value);
  return band.low === null || band.high === null || (value >= band.low && value <= band.high);
}

/** Draws the band behind the dots: an area, or a line for each state. */
function drawBand(u: uPlot, band: Band): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = ctx.strokeStyle = colour("accent");
  if (band.states.length > 0) {
    ctx.globalAlpha = 0.45;
    ctx.lineWidth = 2 * devicePixelRatio;
    for (const state of band.states) {
      const y = u.valToPos(state, "y", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
  } else if (band.low !== null && band.high !== null) {
    const top = u.valToPos(band.high, "y", true), bottom = u.valToPos(band.low, "y", true);
    ctx.globalAlpha = 0.16;
    ctx.fillRect(bbox.left, top, bbox.width, Math.max(bottom - top, 2));
  }
  ctx.restore();
}

/** The axis has room for the band and all dots. */
function rangeOf(dots: Dot[], band: Band): [number, number] {
  const all = [...dots.map((d) => d.value), ...band.states];
  if (band.low !== null && band.high !== null) all.push(band.low, band.high);
  let low = Infinity, high = -Infinity;
  for (const value of all) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const room = high > low ? (high - low) * 0.1 : Math.max(Math.abs(high) * 0.1, 1);
  return [low - room, high + room];
}

/** What is shown of the time, in seconds: what is chosen; around a single moment, which would stand among years, ten minutes. */
function spanOf(dots: Dot[], low: number, high: number): [number, number] {
  const first = (dots[0]?.time ?? 0) / 1000, last = (dots[dots.length - 1]?.time ?? 0) / 1000;
  return last - first < 1 ? [first - SPAN_LEAST_S / 2, first + SPAN_LEAST_S / 2] : [low, high];
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" }), exactClock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "short" });

/** Times as on the rest of the page: the hour, and the day below it where it begins. */
function timesOf(marks: number[], step: number): string[] {
  return marks.map((seconds, i) => {
    const time = new Date(seconds * 1000), date = day.format(time);
    const isNewDay = i === 0 || day.format(new Date(marks[i - 1]! * 1000)) !== date;
    const words = step >= 86400 ? date : (step < 60 ? exactClock : clock).format(time);
    return isNewDay && step < 86400 ? `${words}\n${date}` : words;
  });
}

/** Draws into the element; returns what takes it away again. */
export function drawChart(into: HTMLElement, dots: Dot[], band: Band): () => void {
  const sorted = [...dots].sort((a, b) => a.time - b.time);
  const axis: uPlot.Axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
  const points = (name: string): uPlot.Series => ({ stroke: colour(name), paths: () => null, points: { show: true, size: 7, fill: colour(name), stroke: colour(name) } });
  const chart = new uPlot({
    width: into.clientWidth, height: HEIGHT, legend: { show: false }, cursor: { drag: { x: true, y: false } },
    scales: { x: { range: (_, low, high) => spanOf(sorted, low, high) }, y: { range: () => rangeOf(dots, band) } },
    axes: [{ ...axis, values: (_, marks, __, ___, step) => timesOf(marks, step), space: 70 }, { ...axis, size: 70 }],
    series: [{}, { label: "normal", ...points("accent") }, { label: "outside", ...points("critical") }],
    hooks: { drawClear: [(u) => drawBand(u, band)] },
  }, [
    sorted.map((d) => d.time / 1000),
    sorted.map((d) => (isNormal(d.value, band) ? d.value : null)),
    sorted.map((d) => (isNormal(d.value, band) ? null : d.value)),
  ], into);
  const watch = new ResizeObserver(() => chart.setSize({ width: into.clientWidth, height: HEIGHT }));
  watch.observe(into);
  return () => {
    watch.disconnect();
    chart.destroy();
  };
}
