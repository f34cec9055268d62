/* pages.ts: the list of pages. A page is a line here and a file in pages/. */
import type { ComponentType } from "preact";
import type { Role, Session } from "./api";
import type { StreamEvent } from "./data";
import type { Route } from "./route";
import { Account } from "./pages/account";
import { Admin } from "./pages/admin";
import { Alerts } from "./pages/alerts";
import { Assets } from "./pages/assets";
import { Baseline } from "./pages/baseline";
import { MapPage } from "./pages/map";
import { Muted } from "./pages/muted";
import { Overview } from "./pages/overview";
import { PolicyAndRules } from "./pages/policy";
import { Reports } from "./pages/reports";
import { Stories } from "./pages/stories";
import { Variables } from "./pages/variables";

export interface PageProps {
  route: Route;
  session: Session;
  /** The last thing that the server told of its own accord. */
  news?: StreamEvent;
}

export interface Page {
  name: string;
  title: string;
  Component: ComponentType<PageProps>;
  isInMenu: boolean;
  /** The page of the menu that it belongs to, when it is not there itself. */
  partOf?: string;
  /** Only for this role; absent: for all. */
  role?: Role;
}

export const pages: Page[] = [
  { name: "overview", title: "Overview", Component: Overview, isInMenu: true },
  { name: "alerts", title: "Alerts", Component: Alerts, isInMenu: true },
  { name: "stories", title: "Stories", Component: Stories, isInMenu: true },
  { name: "muted", title: "Muted alerts", Component: Muted, isInMenu: false, partOf: "alerts" },
  { name: "assets", title: "Assets", Component: Assets, isInMenu: true },
  { name: "baseline", title: "Baseline", Component: Baseline, isInMenu: true },
  { name: "variables", title: "Variables", Component: Variables, isInMenu: true },
  { name: "policy", title: "Policy and rules", Component: PolicyAndRules, isInMenu: true },
  { name: "map", title: "Map", Component: MapPage, isInMenu: true },
  { name: "reports", title: "Reports", Component: Reports, isInMenu: true },
  { name: "admin", title: "Administration", Component: Admin, isInMenu: true, role: "admin" },
  { name: "account", title: "Your account", Component: Account, isInMenu: false },
];
