/* waiting.mjs: how long "Loading…" stands on each page of a large store: `scripts/bench-console --pages`. Every page is opened by
 * a browser that has nothing of it yet, of a console that has just begun and of one that runs; the worst of some turns is told. */
import { spawn } from "node:child_process";
import { browser } from "./browser.mjs";

const { SIGHTGLASS, STORE, TOKEN, PLACES } = process.env;
const TURNS = 3, RUNNING_MS = 4000, REST_MS = 500, WAIT_MS = 30000, LIMIT_MS = 300;

const servers = [];
process.on("exit", () => servers.forEach((server) => server.kill("SIGTERM"))); // also when something was thrown

function start() {
  return new Promise((done) => {
    const server = spawn(SIGHTGLASS, ["console", "-s", STORE, "--listen", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
    servers.push(server);
    server.stderr.on("data", (bytes) => {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(String(bytes));
      if (found) done({ process: server, url: found[0] });
    });
  });
}

const stop = ({ process }) => new Promise((done) => { process.on("exit", done); process.kill("SIGTERM"); });

/** Runs in the page: how long something waits, in the document and to be seen (it is hidden at first). */
function watch() {
  const told = window.told = { longest: 0, seen: 0, quietAt: 0 };
  let since = 0, seenSince = 0;
  const look = () => {
    const waiting = document.querySelector(".waiting"), now = performance.now();
    if (waiting) since ||= now;
    if (waiting && getComputedStyle(waiting).visibility === "visible") seenSince ||= now;
    if (since) told.longest = Math.max(told.longest, now - since);
    if (seenSince) told.seen = Math.max(told.seen, now - seenSince);
    if (!waiting && since) [since, seenSince, told.quietAt] = [0, 0, now];
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  const frame = () => { look(); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}

async function openPage(url, hash) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, extraHTTPHeaders: { Authorization: `Bearer ${TOKEN}` } });
  const page = await context.newPage(), ends = Date.now() + WAIT_MS;
  await page.addInitScript(watch);
  await page.goto(`${url}/#/${hash}`);
  const isShown = () => page.evaluate(() => !document.querySelector(".waiting") && !!document.querySelector("main :is(h1, h2, table, form, .empty, .problem)"));
  while (!(await isShown())) {
    if (Date.now() > ends) throw new Error(`not in time: ${hash}`);
    await page.waitForTimeout(20);
  }
  await page.waitForTimeout(REST_MS); // a part that is loaded behind another one
  const told = await page.evaluate(() => window.told);
  if (await page.evaluate(() => !!document.querySelector("main .problem"))) throw new Error(`a problem on ${hash}`);
  await context.close();
  return told;
}

/** The worst of some turns; each of a console of its own unless it is one that runs. */
async function worstOf(hash, running) {
  const worst = { longest: 0, seen: 0, quietAt: 0 };
  for (let turn = 0; turn < TURNS; turn++) {
    const server = running ?? (await start());
    const told = await openPage(server.url, hash);
    for (const key of Object.keys(worst)) worst[key] = Math.max(worst[key], told[key]);
    if (!running) await stop(server);
  }
  return worst;
}

const figure = (ms) => String(Math.round(ms)).padStart(7);
const late = [], running = await start();
await new Promise((done) => setTimeout(done, RUNNING_MS));
console.log(`${"ms, worst of " + TURNS + " openings".padEnd(18)}    just begun: waits   seen  there | running: waits   seen  there`);
for (const hash of PLACES.split(" ")) {
  const begun = await worstOf(hash), later = await worstOf(hash, running);
  console.log(`#/${hash.padEnd(44)} ${[begun.longest, begun.seen, begun.quietAt].map(figure).join("")} |        ${[later.longest, later.seen, later.quietAt].map(figure).join("")}`);
  if (Math.max(begun.longest, later.longest) > LIMIT_MS) late.push(hash || "overview");
}
await stop(running);
await browser.close();
console.log(`"Loading…" for more than ${LIMIT_MS} ms: ${late.join(", ") || "none"}`);
