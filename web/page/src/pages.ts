/* pages.ts: the list of pages. A page is a line here and a file in pages/. */
import type { ComponentType } from "preact";
import type { Role, Session } from "./api";
import type { StreamEvent } from "./data";
import type { Route } from "./route";
import { Account } from "./pages/account";
import { Alerts } from "./pages/alerts";
import { Assets } from "./pages/assets";

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
  /** Only for this role; absent: for all. */
  role?: Role;
}

export const pages: Page[] = [
  { name: "alerts", title: "Alerts", Component: Alerts, isInMenu: true },
  { name: "assets", title: "Assets", Component: Assets, isInMenu: true },
  { name: "account", title: "Your account", Component: Account, isInMenu: false },
];
