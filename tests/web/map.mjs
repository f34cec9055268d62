/* map.mjs: the map of a plant with a thousand hosts and one with ten thousand, which the test makes up: hosts stand together in groups, few
 * enough to be read; groups open; a focused host's conversations are listed. See tests/e2e/test_console_map.py. */
import { check, go, logIn, open, run } from "./browser.mjs";

const { URL: url } = process.env;
const SEEN = "2026-01-01T00:00:00Z", SPOTS_MAX = 150;

const id = (n) => "a-" + n.toString(16).padStart(16, "0");
const host = (n, address, kind, level) => ({ id: id(n), is_asset: true, name: address, address, class: kind, level, is_level_guessed: true, zone: "", segment: "default", first_seen: SEEN, is_new: false, alerts: 0 });
const link = (a, b, isNew) => ({ source: id(a), target: id(b), protocol: "s7comm", reads: 9, writes: 1, count: 10, is_new: isNew, first_seen: SEEN, last_seen: SEEN });

/** Cells with a /24 each: an HMI (level 2), controllers (1) and what these control (0). The first HMI and the last host talk for the first time. */
function plant(cells, perCell) {
  const hosts = [], links = [];
  for (let cell = 0; cell < cells; cell++) {
    const first = hosts.length, net = `10.${Math.floor(cell / 250)}.${cell % 250}`;
    for (let i = 0; i < perCell; i++) {
      const [kind, level] = i === 0 ? ["hmi", "2"] : i < 8 ? ["plc", "1"] : ["io-device", "0"];
      hosts.push(host(first + i, `${net}.${i + 1}`, kind, level));
      if (i > 0) links.push(link(i < 8 ? first : first + 1 + (i % 7), first + i, false));
    }
  }
  links.push(link(0, hosts.length - 1, true));
  return { hosts, links, protocols: ["s7comm"], first: SEEN, last: SEEN, is_cut: false };
}

async function shows(page, map) {
  await page.unrouteAll();
  await page.route("**/api/v1/map", (route) => route.fulfill({ json: map }));
  await go(page, "#/overview");
  await go(page, "#/map");
  await page.waitForSelector(".map-box canvas");
}

const spots = (page) => page.locator(".spots li button").count();

await run(async () => {
  const page = await open(url, { viewport: { width: 1440, height: 900 } });
  await page.waitForSelector("input[name=user]");
  await logIn(page, "admin");
  for (const [cells, perCell] of [[20, 50], [200, 50]]) {
    const map = plant(cells, perCell), all = `${(cells * perCell).toLocaleString("en-US")} hosts`;
    await shows(page, map);
    check((await page.locator("#map-title").innerText()).includes(all), `${all} are counted`);
    check(await spots(page) > 2 && await spots(page) <= SPOTS_MAX, `${all} are drawn as ${await spots(page)} spots`);
  }
  await shows(page, plant(20, 50));
  const before = await spots(page);
  await page.locator(".spots button", { hasText: /^10\.0\.7\.0\/24, 42 hosts level 0/ }).click();
  await page.locator(".spots button", { hasText: "10.0.7.0/24: close" }).waitFor();
  check(await spots(page) === before + 42, "a group opens into its hosts");
  await page.locator(".spots button", { hasText: "10.0.7.20" }).first().click();
  await page.locator("h2", { hasText: "Conversations of 10.0.7.20" }).waitFor();
  check(await page.locator("main table tbody tr").count() === 1, "the conversations of one host are listed");
  await page.getByRole("button", { name: "All hosts" }).click();
  await page.getByLabel("Only new ones").check();
  await page.locator("#map-title", { hasText: "2 hosts, 1 conversation" }).waitFor();
  check(true, "what is new can be looked at alone");
  check(page.trouble.length === 0, `no trouble: ${page.trouble.join("; ")}`);
});
