/* route.ts: the address bar is the state: "#/alerts/ID?severity=7". Back, forward, reload and a copied link all work. */
import { useEffect, useState } from "preact/hooks";

export interface Route {
  /** "alerts" */
  page: string;
  /** what follows: an id, decoded; "" when there is none */
  rest: string;
  query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...rest] = path.split("/");
  let decoded = rest.join("/");
  try {
    decoded = decodeURIComponent(decoded);
  } catch {
    // a link that somebody cut: as it is
  }
  return { page: page || "overview", rest: decoded, query: new URLSearchParams(query) };
}

export function linkTo(page: string, rest = "", query?: URLSearchParams | Record<string, string>): string {
  const text = new URLSearchParams(query).toString();
  return `#/${page}${rest ? "/" + encodeURIComponent(rest) : ""}${text ? "?" + text : ""}`;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return route;
}

/** Changes one value of the query in the address bar, without a new step of "back" while somebody types. */
export function setQuery(route: Route, key: string, value: string): void {
  const query = new URLSearchParams(route.query);
  if (value) query.set(key, value);
  else query.delete(key);
  history.replaceState(null, "", linkTo(route.page, route.rest, query));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
