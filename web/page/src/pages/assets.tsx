/* assets.tsx: the inventory as a table. */
import { useMemo, useState } from "preact/hooks";
import { useData } from "../data";
import { Empty, Problem, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";

/** Columns of the export that are known of a device; lists are arrays. */
export type Asset = Record<string, string | string[] | undefined>;

const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(", ") : value ?? "");
export const nameOf = (asset: Asset) => text(asset.name ?? asset.hostname ?? asset.ip ?? asset.mac) || "unnamed";

export function Assets(_: PageProps) {
  const { data, error, isLoading, reload } = useData<{ assets: Asset[]; total: number }>("/api/v1/assets?limit=5000");
  const [find, setFind] = useState("");
  const shown = useMemo(() => {
    const words = find.toLowerCase().split(/\s+/).filter(Boolean);
    return (data?.assets ?? []).filter((asset) => {
      const all = Object.values(asset).map(text).join(" ").toLowerCase();
      return words.every((word) => all.includes(word));
    });
  }, [data, find]);
  return (
    <section aria-labelledby="assets-title">
      <div class="bar">
        <h1 id="assets-title">Assets</h1>
        <label>Find <input type="search" id="find" value={find} onInput={(e) => setFind((e.target as HTMLInputElement).value)} placeholder="address, name, vendor, protocol" autocomplete="off" spellcheck={false} /></label>
      </div>
      {error && <Problem error={error} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && shown.length === 0 && <Empty>{data.total > 0 ? "No device fits." : "No devices yet: the sensor lists what it hears."}</Empty>}
      {shown.length > 0 && (
        <table class="assets cards">
          <thead><tr><th scope="col">Device</th><th scope="col">Class</th><th scope="col">Address</th><th scope="col">Vendor, model</th><th scope="col">Firmware</th><th scope="col">Serves</th><th scope="col">Last seen</th></tr></thead>
          <tbody>
            {shown.slice(0, 1000).map((asset) => (
              <tr key={text(asset.asset_id)}>
                <td>{nameOf(asset)}</td><td data-label="Class">{text(asset.asset_class)}</td><td data-label="Address">{text(asset.ip)} <span class="soft">{text(asset.mac)}</span></td>
                <td data-label="Vendor">{[text(asset.vendor), text(asset.model)].filter(Boolean).join(", ")}</td><td data-label="Firmware">{text(asset.firmware_version)}</td>
                <td data-label="Serves">{text(asset.protocols_served)}</td><td data-label="Last seen"><Time value={text(asset.last_seen)} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
