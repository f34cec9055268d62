/* asset-columns.ts: the columns of the inventory, in the order and words of its export, and which of them one chooses to see. */

export type Asset = Record<string, string | string[] | undefined>;

export interface Column {
  name: string;
  title: string;
  /** A moment: shown in the reader's zone. */
  isTime?: boolean;
}

const names = [
  "name", "asset_class", "role", "vendor", "model", "order_number", "serial_number", "hardware_version", "firmware_version", "software_version", "os", "ip", "ip_other",
  "mac", "mac_other", "vlan", "hostname", "protocol_names", "rack", "slot", "parent_asset_id", "modules", "site", "zone", "purdue_level", "segment", "criticality",
  "safety", "authorised", "status", "operating_mode", "key_switch", "protection", "program_id", "protocols_served", "protocols_used", "ports_open", "peers", "writers",
  "internet", "encrypted_share", "first_seen", "last_seen", "last_changed", "last_program_change", "sensor", "switch_port", "alerts_open", "risk", "confidence", "sources",
  "conflicts", "declared_match", "location", "owner", "description", "tags", "cmdb_id", "asset_id", "schema",
];

/** Where the words differ from the column's name. */
const titles: Record<string, string> = {
  asset_class: "Class", ip: "Address", ip_other: "Other addresses", mac: "MAC", mac_other: "Other MACs", vlan: "VLAN", os: "Operating system", purdue_level: "Purdue level",
  protocols_served: "Serves", protocols_used: "Uses", ports_open: "Open ports", firmware_version: "Firmware", hardware_version: "Hardware", software_version: "Software",
  asset_id: "Id", parent_asset_id: "Part of", cmdb_id: "CMDB id", internet: "Talks to the internet", declared_match: "As declared", alerts_open: "Open alerts",
  protocol_names: "Names in protocols", schema: "Row version", confidence: "Confidence in %",
};

export const columns: Column[] = names.map((name) => ({
  name,
  title: titles[name] ?? name[0]!.toUpperCase() + name.slice(1).replaceAll("_", " "),
  isTime: /^(first|last)_seen$|^last_changed$/.test(name),
}));

export const titleOf = (name: string) => columns.find((c) => c.name === name)?.title ?? name;

export const usual = ["name", "asset_class", "ip", "vendor", "model", "firmware_version", "zone", "protocols_served", "last_seen"];

const key = "sightglass-asset-columns";

/** Of the address bar, else as chosen last in this browser, else the usual ones. */
export function chosenColumns(fromAddress: string | null): string[] {
  const known = (list: string) => list.split(",").filter((name) => names.includes(name));
  let chosen = known(fromAddress ?? "");
  try {
    if (chosen.length === 0) chosen = known(localStorage.getItem(key) ?? "");
  } catch {
    // a browser that keeps nothing: the usual ones
  }
  return chosen.length > 0 ? chosen : usual;
}

export function rememberColumns(chosen: string[]): void {
  try {
    localStorage.setItem(key, chosen.join(","));
  } catch {
    // then the address bar alone remembers
  }
}

/** Classes as people write them; the others are words already. */
const classes: Record<string, string> = { engineering: "engineering station", "io-device": "I/O device", "sensor-actuator": "sensor or actuator" };
export const className = (name: string) => classes[name] ?? (/^[a-z]{2,3}$/.test(name) ? name.toUpperCase() : name.replace(/[_-]/g, " "));

export const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(", ") : value ?? "");

/** How people call it; what stands behind another asset has no address of its own. */
export const nameOf = (asset: Asset) => text(asset.name ?? asset.hostname ?? asset.ip ?? asset.mac ?? asset.model ?? asset.asset_id) || "unnamed";
