/* declared.mjs: the plant's own list: an engineer brings it, sees what is missing, extra and different, and finds the same at the devices;
 * whoever only looks cannot bring one. See tests/e2e/test_console_declared.py. */
import { check, go, isText, logIn, open, run } from "./browser.mjs";

const { URL: url } = process.env;
const HOSTILE = "<img src=x onerror=alert(1)>";
const file = (name, text) => ({ name, mimeType: "text/csv", buffer: Buffer.from(text) });

async function person(user) {
  const page = await open(url, { viewport: { width: 1440, height: 900 } });
  await page.waitForSelector("input[name=user]");
  await logIn(page, user);
  await go(page, "#/assets");
  await page.getByRole("link", { name: "The plant's own list" }).click();
  await page.getByText("Nobody brought a list yet.").waitFor();
  return page;
}

const part = (page, title) => page.locator("section.part", { has: page.locator("h2", { hasText: title }) });

await run(async () => {
  const viewer = await person("vic");
  check(await viewer.locator("input[type=file]").count() === 0, "a viewer is not offered to bring a list");
  check(viewer.trouble.length === 0, `the viewer had no trouble: ${viewer.trouble.join("; ")}`);

  const page = await person("eve");
  page.expected = /status of 400/;
  await page.setInputFiles("input[type=file]", file("colours.csv", "Colour\nblue\n"));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator("form .problem").waitFor();
  check(/^[A-Z]/.test(await page.locator("form .problem").innerText()), `a list that names no device is refused in words: ${await page.locator("form .problem").innerText()}`);
  await page.setInputFiles("input[type=file]", file(`plant ${HOSTILE}.csv`, `IP;name;vendor;Colour\n10.0.0.10;DOSING ${HOSTILE};Somebody ${HOSTILE};blue\n10.0.0.99;GONE ${HOSTILE};;\n`));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator(".notice", { hasText: "2 devices are declared. Columns without a meaning here were passed over: Colour." }).waitFor();
  await part(page, "Missing").getByText(`GONE ${HOSTILE}`).waitFor();
  check((await part(page, "Missing").innerText()).includes("nobody saw it"), "what nobody saw is missing, and why");
  check((await part(page, "Extra").innerText()).includes("10.0.0.20"), "what nobody declared is extra");
  check((await part(page, "Different").innerText()).includes(`Somebody ${HOSTILE}`), "what is declared otherwise is different");
  await isText(page, "the list");
  await part(page, "Different").locator("td a").first().click();
  await page.locator("dt", { hasText: "As declared" }).waitFor();
  check(/differs \(.*vendor.*\)/.test(await page.locator("dl.identity").innerText()), "the device says that it is not as declared");
  await go(page, "#/assets?columns=name,ip,declared_match");
  await page.locator("table.assets tr", { hasText: "10.0.0.20" }).locator("td", { hasText: /^no$/ }).waitFor();
  check(await page.locator("table.assets tr", { hasText: "differs (" }).count() === 1, "and so does the list of all");
  await go(page, "#/assets/declared");
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Yes, remove" }).click();
  await page.getByText("Nobody brought a list yet.").waitFor();
  check(page.trouble.length === 0, `the engineer had no trouble: ${page.trouble.join("; ")}`);
});
