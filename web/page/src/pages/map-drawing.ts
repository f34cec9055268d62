/* map-drawing.ts: draws a view of the map with Cytoscape.js. Loaded only on the map's page. */
import cytoscape, { type Core } from "cytoscape";
import type { MapView } from "./map-view";

export interface Drawing {
  show(view: MapView): void;
  mark(ids: string[]): void;
  zoom(factor: number): void;
  fit(): void;
  end(): void;
}

/** Cytoscape adds a style element unless one of this id is there; the page's rules allow none, and style.css has its only rule. */
function keepStylesOut(): void {
  const id = "__________cytoscape_stylesheet";
  if (document.getElementById(id)) return;
  const stand = document.createElement("meta");
  stand.id = id;
  document.head.append(stand);
}

function colours(): Record<string, string> {
  const style = getComputedStyle(document.documentElement);
  const names = ["page", "card", "text", "soft", "line", "accent", "chosen", "critical", "high", "low", "good"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const shapes: Record<string, string> = { plc: "rectangle", rtu: "rectangle", ied: "rectangle", "io-device": "rectangle", drive: "rectangle", hmi: "diamond", engineering: "diamond", switch: "hexagon", router: "hexagon", gateway: "hexagon" };

function rules(): unknown[] {
  const c = colours();
  return [
    { selector: "node", style: { "background-color": c.low, "border-width": 2, "border-color": c.card, color: c.text, label: "data(label)", "font-size": 12, "font-family": "system-ui, sans-serif", "text-valign": "bottom", "text-margin-y": 4, "text-wrap": "wrap", "text-max-width": 122, "text-outline-color": c.page, "text-outline-width": 2, width: 28, height: 28, shape: "ellipse" } },
    { selector: "node.is-narrow", style: { "text-max-width": 108 } },
    { selector: "node[shape]", style: { shape: "data(shape)" } },
    { selector: "node.group", style: { shape: "round-rectangle", width: 96, height: 44, "background-color": c.chosen, "border-color": c.accent, "text-valign": "center", "text-margin-y": 0, "text-max-width": 90 } },
    { selector: "node.has-alerts", style: { "border-color": c.high, "border-width": 4 } },
    { selector: "node.is-new", style: { "background-color": c.critical } },
    { selector: "node.group.is-new", style: { "background-color": c.chosen, "border-color": c.critical, "border-width": 4 } },
    { selector: "node.row", style: { shape: "rectangle", width: "data(width)", height: "data(height)", "background-color": c.card, "background-opacity": 0.6, "border-width": 1, "border-color": c.line, label: "data(label)", "text-valign": "center", "text-halign": "left", "text-margin-x": -8, "text-margin-y": 0, "text-max-width": 170, "font-size": 15, color: c.soft, events: "no", "z-index": 0, "z-index-compare": "manual" } },
    { selector: "node.row.is-narrow", style: { "text-valign": "top", "text-halign": "center", "text-margin-x": 0, "text-margin-y": -1, "text-max-width": 400, "font-size": 13 } },
    { selector: "edge", style: { width: "data(width)", "line-color": c.soft, opacity: 0.55, "curve-style": "bezier", "target-arrow-shape": "triangle", "target-arrow-color": c.soft, "arrow-scale": 0.8 } },
    { selector: "edge.writes", style: { "line-color": c.accent, "target-arrow-color": c.accent, opacity: 0.8 } },
    { selector: "edge.is-faint", style: { "curve-style": "haystack", "haystack-radius": 0, opacity: 0.25 } },
    { selector: "edge.is-new", style: { "line-color": c.critical, "target-arrow-color": c.critical, "line-style": "dashed", opacity: 0.9 } },
    { selector: "node:selected", style: { "border-color": c.text, "border-width": 5 } },
    { selector: "edge:selected", style: { "line-color": c.text, "target-arrow-color": c.text, opacity: 1 } },
    { selector: ".is-far", style: { opacity: 0.12 } },
  ];
}

/** A drawing of a few hosts does not become larger than this. */
const FIT_MOST = 1.4;
/** Pixels around the drawing, and the least height of its place on a narrow screen. */
const MARGIN = 20, HEIGHT_LEAST = 240;

/** Thicker for more messages, by powers of ten. */
const widthOf = (count: number) => 1 + Math.min(5, Math.log10(1 + count));

export function draw(container: HTMLElement, onChoose: (id: string) => void): Drawing {
  keepStylesOut();
  const cy: Core = cytoscape({ container, style: rules(), autoungrabify: true, boxSelectionEnabled: false, minZoom: 0.05, maxZoom: 3 });
  cy.on("tap", (event) => onChoose(event.target === cy ? "" : (event.target as { id(): string }).id()));
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const recolour = () => cy.style(rules());
  scheme.addEventListener("change", recolour);
  const resized = new ResizeObserver(() => cy.resize());
  resized.observe(container);
  let known = "";
  const zoomTo = (level: number) => cy.zoom({ level, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  const fit = () => {
    cy.fit(undefined, MARGIN);
    if (cy.zoom() > FIT_MOST) zoomTo(FIT_MOST);
  };
  /** Where it is as wide as it can be, the place is no higher than the drawing. */
  const setHeight = (isNarrow: boolean) => {
    container.style.removeProperty("height");
    const box = cy.elements().boundingBox(), least = (container.clientWidth - 2 * MARGIN) / box.w;
    const height = Math.ceil(box.h * Math.min(least, FIT_MOST)) + 2 * MARGIN;
    if (isNarrow && height < container.clientHeight) container.style.setProperty("height", `${Math.max(height, HEIGHT_LEAST)}px`);
    cy.resize();
  };
  return {
    show(view) {
      const half = Math.max(view.isNarrow ? 150 : 300, ...view.spots.map((s) => Math.abs(s.x) + (view.isNarrow ? 62 : 90)));
      cy.batch(() => {
        cy.elements().remove();
        cy.add([
          ...view.rows.map((r) => ({ group: "nodes", data: { id: "row:" + r.title, label: r.title, width: 2 * half, height: r.height + 20 }, position: { x: 0, y: r.y + 22 }, classes: view.isNarrow ? "row is-narrow" : "row", selectable: false })),
          ...view.spots.map((s) => ({
            group: "nodes", data: { id: s.id, label: s.label, ...(s.kind === "host" && shapes[s.class] ? { shape: shapes[s.class] } : {}) }, position: { x: s.x, y: s.y },
            classes: [view.isNarrow && "is-narrow", s.kind === "group" && "group", s.isNew && "is-new", s.alerts > 0 && "has-alerts"].filter(Boolean).join(" "),
          })),
          ...view.lines.map((l) => ({ group: "edges", data: { id: l.id, source: l.source, target: l.target, width: widthOf(l.count) }, classes: [l.writes > 0 && "writes", l.isNew ? "is-new" : view.isDense && "is-faint"].filter(Boolean).join(" ") })),
        ]);
      });
      const shape = [view.isNarrow, ...view.spots.map((s) => s.id)].join("\n");
      if (shape !== known) {
        setHeight(view.isNarrow);
        fit();
      }
      known = shape;
    },
    mark(ids) {
      cy.elements().unselect();
      cy.elements().removeClass("is-far");
      for (const id of ids) cy.getElementById(id).select();
      if (ids.length === 0) return;
      const near = cy.elements(":selected"), kept = near.union(near.connectedNodes());
      cy.elements("edge, node[^width]").difference(kept).addClass("is-far"); // the levels' rows have a width
    },
    zoom(factor) {
      zoomTo(cy.zoom() * factor);
    },
    fit,
    end() {
      scheme.removeEventListener("change", recolour);
      resized.disconnect();
      cy.destroy();
    },
  };
}
