/* live.mjs: a sensor runs while people work: an alert arrives in the open page and is worked on to its close; what an engineer
 * approves is silent from then on. WIRE is a command whose input makes one host write to another. See tests/e2e/test_console_live.py. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { check, go, logIn, open, run } from "./browser.mjs";

const { URL: url, WIRE } = process.env;
const WAIT_MS = 90000; // a slow machine's sensor, store and page
const ROUNDS_MAX = 20;

const [command, ...more] = WIRE.split(" ");
const wire = spawn(command, more, { stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: wire.stdout });
let port = 50100;

/** One host writes to another; done when the frames are out. */
async function writes(client, server) {
  const sent = once(answers, "line");
  wire.stdin.write(`${client} ${server} ${port++}\n`);
  await sent;
}

async function person(user) {
  const page = await open(url, { viewport: { width: 1440, height: 1000 } });
  await page.waitForSelector("input[name=user]");
  await logIn(page, user);
  page.setDefaultTimeout(WAIT_MS);
  return page;
}

const alertsOf = (page, actor, target) => page.evaluate(async ([a, t]) =>
  (await (await fetch(`/api/v1/alerts?limit=500&rule=rw.new-writer&host=10.0.0.${a}`)).json()).alerts
    .filter((x) => x.source.includes(`10.0.0.${a}`) && x.destination.includes(`10.0.0.${t}`)).length, [actor, target]);

/** The stranger and then somebody else, whom nobody knows either, write to a controller that neither wrote to before: how often the
 * stranger is told once the other one is. */
async function round(page, number) {
  const target = 110 + number, other = 150 + number, ends = Date.now() + WAIT_MS;
  await writes(66, target);
  await writes(other, target);
  while ((await alertsOf(page, other, target)) === 0) {
    if (Date.now() > ends) throw new Error(`10.0.0.${other} is not told`);
    await page.waitForTimeout(100);
  }
  return alertsOf(page, 66, target);
}

async function closesWhatArrives() {
  const page = await person("ann");
  await go(page, "#/alerts");
  await page.evaluate(() => { window.isSamePage = true; });
  await writes(66, 10);
  const row = page.locator("table.alerts tbody tr", { hasText: "rw.new-writer" }).filter({ hasText: "10.0.0.66" });
  await row.first().waitFor();
  check(await page.evaluate(() => window.isSamePage), "the alert of a running sensor arrives without a reload");
  await row.first().locator("a").first().click();
  const detail = page.locator("#detail");
  await detail.getByText("Nobody has looked at this yet.").waitFor();
  await detail.getByText("Deciding bytes").or(detail.locator("a.button", { hasText: "pcap" })).first().waitFor(); // packets are kept after the alert was told
  check(true, "with its packets");
  await detail.locator("textarea").first().fill("the electrician's laptop");
  await detail.getByRole("button", { name: "Close", exact: true }).click();
  await detail.getByText("This alert is closed.").waitFor();
  check((await detail.locator(".history").innerText()).includes("the electrician's laptop"), "and is closed with a note");
  check(await page.evaluate(() => document.activeElement?.textContent) === "This alert is closed.", "the keyboard is where the news is");
  check(page.trouble.length === 0, `the analyst had no trouble: ${page.trouble.join("; ")}`);
  await page.context().close();
}

async function approvesWhatIsNormal() {
  const page = await person("eve");
  check(await round(page, 0) === 1, "the stranger is told before anybody approves");
  await go(page, "#/alerts?triage=all");
  await page.locator("table.alerts tbody tr", { hasText: "rw.new-writer" }).filter({ hasText: "10.0.0.66" }).first().locator("a").first().click();
  const form = page.locator("#detail details", { hasText: "This is normal: approve…" });
  await form.locator("summary").click();
  await form.locator("input[name=why]").fill("change ticket 12");
  await form.locator("select[name=scope]").selectOption("actor");
  await form.locator("select[name=days]").selectOption("7");
  await form.getByRole("button", { name: "Approve" }).click();
  await page.getByText("The sensor will know within a second").waitFor();
  const { decisions } = await page.evaluate(async () => (await fetch("/api/v1/baseline/decisions")).json());
  const [decision] = decisions, days = (Date.parse(decision.until) - Date.parse(decision.made)) / 86400000;
  check(decisions.length === 1 && decision.actor === "10.0.0.66" && !decision.target && Math.abs(days - 7) < 0.01, `it is for the actor and a week: ${JSON.stringify(decision)}`);
  await go(page, "#/alerts?triage=all");
  await page.locator("table.alerts tbody tr", { hasText: "eve approved" }).first().waitFor();
  check(true, "the running sensor tells that it was approved");
  let number = 1; // how soon its workers have it depends on the machine
  while (number < ROUNDS_MAX && (await round(page, number)) > 0) number++;
  check(number < ROUNDS_MAX, "what was approved becomes silent");
  await writes(66, 10);
  check(await round(page, number + 1) === 0, "and stays so, while others are told");
  await writes(66, 10); // with the one before: what the store must not have counted when the sensor has ended
  check(page.trouble.length === 0, `the engineer had no trouble: ${page.trouble.join("; ")}`);
  await page.context().close();
}

await run(async () => {
  try {
    await closesWhatArrives();
    await approvesWhatIsNormal();
  } finally {
    wire.stdin.end();
  }
});
