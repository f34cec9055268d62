/* cytoscape.d.ts: the part of Cytoscape.js that map-drawing.ts uses; the package ships no types. */
declare module "cytoscape" {
  export interface Element {
    id(): string;
    select(): void;
  }
  export interface Collection extends Element {
    length: number;
    boundingBox(): { w: number; h: number };
    unselect(): void;
    remove(): void;
    addClass(name: string): void;
    removeClass(name: string): void;
    connectedNodes(): Collection;
    difference(other: Collection): Collection;
    union(other: Collection): Collection;
  }
  export interface Core {
    add(elements: unknown[]): Collection;
    batch(work: () => void): void;
    destroy(): void;
    elements(selector?: string): Collection;
    fit(elements?: Collection, padding?: number): void;
    getElementById(id: string): Collection;
    height(): number;
    width(): number;
    on(events: string, listener: (event: { target: Element | Core }) => void): void;
    resize(): void;
    style(rules: unknown[]): void;
    zoom(level?: number | { level: number; renderedPosition: { x: number; y: number } }): number;
  }
  export default function cytoscape(options: Record<string, unknown>): Core;
}
