/* app.js: the console's page. All that is shown came from the wire at some time: it is only ever set as text. */

const ALERTS_PAGE = 100;
const ALERTS_KEPT = 1000; /* in the list; older ones are asked for again */
const RELOAD_MS = 2000;   /* assets are fetched at most this often */

const $ = (id) => document.getElementById(id);
const state = { alerts: new Map(), chosen: null, total: 0, assets: [], assetsAreStale: true, isNarrowed: 1 };

/* --- small helpers --- */

/* Characters that steer the direction of writing or cannot be seen would let a name pose as another. */
function clean(text) {
  return String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, "\ufffd");
}

/* An element with attributes and children (text, elements, or nothing). */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  for (const child of children.flat())
    if (child !== undefined && child !== null && child !== "")
      element.append(child instanceof Node ? child : document.createTextNode(clean(child)));
  return element;
}

function time(text) {
  if (!text) return null;
  return el("time", { datetime: text, title: text }, text.slice(0, 19).replace("T", " "));
}

const SEVERITIES = [[9, "critical"], [7, "high"], [5, "medium"], [3, "low"], [0, "info"]];
function badge(severity) {
  const name = SEVERITIES.find(([least]) => severity >= least)[1];
  return el("span", { class: "badge " + name }, name + " " + severity);
}

async function ask(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error || response.statusText);
  return body;
}

function problem(error) {
  $("problem").hidden = !error;
  $("problem").textContent = error ? clean("Cannot read the store: " + error.message) : "";
}

/* Runs an action that asks the server; says so when it fails. */
async function attempt(action) {
  try {
    await action();
    problem(null);
  } catch (error) {
    problem(error);
  }
}

/* --- alerts --- */

function order(a, b) {
  return a.last_seen < b.last_seen ? 1 : a.last_seen > b.last_seen ? -1 : a.id < b.id ? -1 : 1;
}

function alertRow(alert, isNew) {
  const isChosen = alert.id === state.chosen;
  const link = el("a", { href: "#alerts/" + alert.id, "aria-current": isChosen ? "true" : null }, alert.message);
  return el("tr", { class: (isChosen ? "is-chosen " : "") + (isNew ? "is-new" : ""), "data-id": alert.id },
    el("td", {}, badge(alert.severity)),
    el("td", {}, link, el("span", { class: "rule" }, alert.rule_name + " · " + alert.rule)),
    el("td", { class: "count", "data-label": "Count" }, String(alert.count)),
    el("td", { class: "when", "data-label": "Last seen" }, time(alert.last_seen), el("span", { class: "utc" }, " UTC")));
}

function showAlerts(news) {
  const shown = [...state.alerts.values()].filter((a) => a.severity >= state.isNarrowed).sort(order);
  const focused = document.activeElement?.closest?.("tr")?.dataset.id;
  $("alerts-rows").replaceChildren(...shown.map((alert) => alertRow(alert, news?.has(alert.id))));
  if (focused) $("alerts-rows").querySelector(`tr[data-id="${CSS.escape(focused)}"] a`)?.focus();
  $("alerts-empty").hidden = shown.length > 0;
  $("alerts-more").hidden = state.alerts.size >= state.total;
  $("alerts-total").textContent = state.total ? String(state.total) : "";
}

async function loadAlerts(skip) {
  const page = await ask(`/api/v1/alerts?limit=${ALERTS_PAGE}&skip=${skip}`);
  state.total = page.total;
  for (const alert of page.alerts) state.alerts.set(alert.id, alert);
  showAlerts();
}

function takeAlerts(changed) {
  const news = new Set();
  for (const alert of changed) {
    if (!state.alerts.has(alert.id)) news.add(alert.id);
    state.alerts.set(alert.id, alert);
  }
  state.total = Math.max(state.total, state.alerts.size);
  for (const old of [...state.alerts.values()].sort(order).slice(ALERTS_KEPT)) state.alerts.delete(old.id);
  showAlerts(news);
  if (news.size > 0) live("is-live", news.size === 1 ? "Live: one new alert" : `Live: ${news.size} new alerts`);
  if (changed.some((alert) => alert.id === state.chosen)) attempt(() => loadDetail(state.chosen));
}

/* --- one alert --- */

function facts(title, rows) {
  const list = el("dl", {});
  for (const [term, ...values] of rows) {
    const known = values.flat().filter((value) => value !== undefined && value !== null && value !== "");
    if (known.length > 0) list.append(el("dt", {}, term), el("dd", {}, known));
  }
  return list.children.length > 0 ? [el("h3", {}, title), list] : [];
}

function host(end, about) {
  if (!end) return [];
  const port = end.port ? " port " + end.port : "";
  const words = [about?.name, end.ip, end.mac].filter(Boolean).join(", ") + port;
  const extra = [about?.role && about.role !== "unknown" ? about.role : null, about?.model].filter(Boolean).join(", ");
  return [words, extra ? el("span", { class: "soft" }, " (" + extra + ")") : null];
}

function evidence(doc) {
  const about = doc.sightglass.evidence;
  if (!about) return [];
  const range = about.byte_size ? `bytes ${about.byte_offset} to ${about.byte_offset + about.byte_size - 1} of it` : null;
  const link = about.packets_kept > 0
    ? el("a", { class: "button", href: `/api/v1/alerts/${doc.event.id}/evidence.pcap`, download: "" },
      `Download ${about.packets_kept} packets (pcap)`)
    : el("span", { class: "soft" }, "no packets were kept for this alert");
  return [...facts("Evidence", [
    ["Packet", about.packet ? `number ${about.packet} of ${about.source}` : about.source],
    ["Time", time(about.time)], ["Telling", range]]), el("p", {}, link)];
}

function techniques(doc) {
  const ids = doc.threat?.technique?.id || [], names = doc.threat?.technique?.name || [];
  if (ids.length === 0) return [];
  return [el("h3", {}, "MITRE ATT&CK for ICS"),
    el("ul", {}, ids.map((id, i) => el("li", {}, `${id} ${names[i] || ""}`))),
    doc.threat.tactic?.name ? el("p", { class: "soft" }, doc.threat.tactic.name.join(", ")) : null];
}

function detailOf(doc) {
  const own = doc.sightglass || {}, ot = doc.ot || {}, transfer = own.transfer || {};
  const reasons = (own.severity_reasons || []).map((r) => `${r.reason} (${r.points > 0 ? "+" : ""}${r.points})`);
  return [
    el("a", { class: "back", href: "#alerts" }, "← All alerts"),
    el("div", {}, badge(doc.event.severity), " ", el("span", { class: "soft" }, `${doc.rule.name} · ${doc.rule.id}`)),
    el("h2", {}, doc.message),
    ...facts("What happened", [
      ["Actor", ...host(doc.source, own.actor)], ["Target", ...host(doc.destination, own.target)],
      ["Protocol", [doc.network?.protocol, doc.network?.transport].filter(Boolean).join(" over ")],
      ["Action", [doc.event.action, ot.name, ot.code ? `code ${ot.code}` : null].filter(Boolean).join(", ")],
      ["Unit", ot.unit], ["Object", own.object],
      ["Transfer", [transfer.name, transfer.size ? transfer.size + " bytes" : null, transfer.outcome].filter(Boolean).join(", ")],
      ["SHA-256", transfer.sha256 ? el("span", { class: "mono" }, transfer.sha256) : null],
      ["Times", own.count > 1 ? [`${own.count} times, `, time(own.first_seen), " to ", time(own.last_seen), " UTC"] : [time(own.first_seen), " UTC"]],
      ["Segment", own.segment !== "default" ? own.segment : null]]),
    ...facts("Why it is unusual", [["Seen", own.seen], ["Expected", own.expected]]),
    ...facts("What to check", [["In the plant", own.checks?.plant], ["In the SOC", own.checks?.soc]]),
    ...evidence(doc),
    ...techniques(doc),
    ...facts("Record", [["Severity", reasons.join("; ")], ["Revision", `${own.revision}, ${own.status}`],
      ["Sensor", doc.observer?.name], ["Incident", own.incident !== doc.event.id ? el("a", { href: "#alerts/" + own.incident }, own.incident) : null],
      ["Id", el("span", { class: "mono" }, doc.event.id)]]),
    el("details", {}, el("summary", {}, "As JSON"), el("pre", {}, ...JSON.stringify(doc, null, 1).split("\n").flatMap((line) => [line, document.createElement("br")]))),
  ];
}

async function loadDetail(id) {
  const doc = await ask("/api/v1/alerts/" + encodeURIComponent(id));
  if (state.chosen !== id) return;
  $("detail").replaceChildren(...detailOf(doc).filter(Boolean));
}

async function choose(id) {
  const before = state.chosen;
  state.chosen = id;
  $("view-alerts").classList.toggle("has-detail", Boolean(id));
  $("detail").hidden = !id;
  showAlerts();
  if (!id) {
    if (before) $("alerts-rows").querySelector(`tr[data-id="${CSS.escape(before)}"] a`)?.focus();
    return;
  }
  $("detail").replaceChildren(el("p", { class: "soft" }, "Loading…"));
  await attempt(() => loadDetail(id));
  $("detail").scrollTop = 0;
  $("detail").focus({ preventScroll: window.innerWidth >= 1100 });
}

/* --- assets --- */

function assetRow(asset) {
  const name = asset.name || asset.hostname || asset.ip || asset.mac;
  return el("tr", {},
    el("td", {}, el("strong", {}, name), asset.segment !== "default" ? el("span", { class: "rule" }, asset.segment) : null),
    el("td", {}, asset.asset_class !== "unknown" ? asset.asset_class : null),
    el("td", { class: "mono" }, asset.ip, asset.ip && asset.mac ? el("br") : null, asset.mac),
    el("td", {}, [asset.vendor, asset.model || asset.order_number].filter(Boolean).join(", ")),
    el("td", { "data-label": "Firmware" }, asset.firmware_version),
    el("td", { "data-label": "Serves" }, (asset.protocols_served || []).join(", ")),
    el("td", { "data-label": "Uses" }, (asset.protocols_used || []).join(", ")),
    el("td", { class: "when", "data-label": "Last seen" }, time(asset.last_seen), el("span", { class: "utc" }, " UTC")));
}

function showAssets() {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = state.assets.filter((asset) => {
    const text = JSON.stringify(asset).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  $("assets-rows").replaceChildren(...shown.map(assetRow));
  $("assets-empty").hidden = shown.length > 0;
}

let assetsTimer = 0;
function loadAssetsSoon() {
  state.assetsAreStale = true;
  if (assetsTimer || $("view-assets").hidden) return;
  assetsTimer = setTimeout(() => {
    assetsTimer = 0;
    attempt(loadAssets);
  }, RELOAD_MS);
}

async function loadAssets() {
  state.assetsAreStale = false;
  const page = await ask("/api/v1/assets?limit=5000");
  state.assets = page.assets;
  $("assets-total").textContent = String(page.total);
  showAssets();
}

/* --- which view --- */

function route() {
  const [view, id] = location.hash.slice(1).split("/");
  const isAssets = view === "assets";
  $("view-alerts").hidden = isAssets;
  $("view-assets").hidden = !isAssets;
  for (const name of ["alerts", "assets"]) {
    if ((name === "assets") === isAssets) $("tab-" + name).setAttribute("aria-current", "page");
    else $("tab-" + name).removeAttribute("aria-current");
  }
  if (isAssets && state.assetsAreStale) attempt(loadAssets);
  const chosen = !isAssets && /^[0-9a-f]{1,64}$/.test(id || "") ? id : null;
  if (chosen !== state.chosen) choose(chosen);
}

/* --- live --- */

function live(name, text) {
  $("live").className = "live " + name;
  $("live").textContent = text;
}

function listen() {
  const source = new EventSource("/api/v1/stream");
  source.addEventListener("open", () => {
    live("is-live", "Live");
    attempt(() => loadAlerts(0));
  });
  source.addEventListener("error", () => {
    live("is-lost", "Not connected, trying again…");
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  });
  source.addEventListener("alerts", (event) => takeAlerts(JSON.parse(event.data)));
  source.addEventListener("problem", (event) => {
    live("is-lost", "The store cannot be read");
    problem(new Error(JSON.parse(event.data).error));
  });
  source.addEventListener("status", (event) => {
    if ($("live").classList.contains("is-lost")) {
      live("is-live", "Live");
      problem(null);
    }
    const status = JSON.parse(event.data);
    state.total = status.alerts;
    $("alerts-total").textContent = status.alerts ? String(status.alerts) : "";
    $("assets-total").textContent = status.assets ? String(status.assets) : "";
    loadAssetsSoon();
  });
}

$("severity").addEventListener("change", () => {
  state.isNarrowed = Number($("severity").value);
  showAlerts();
});
$("alerts-more").addEventListener("click", () => attempt(() => loadAlerts(state.alerts.size)));
$("find").addEventListener("input", showAssets);
window.addEventListener("hashchange", route);
route();
attempt(() => loadAlerts(0));
listen();
