/* api.ts: asks the console's API. Everything that comes from it was once on the wire: it is shown as text only. */

export type Role = "viewer" | "analyst" | "engineer" | "admin";

export interface Session {
  version: string;
  site: string;
  needs_login: boolean;
  has_users: boolean;
  user?: string;
  role?: Role;
  csrf?: string;
}

/** What the API said no to, in its words. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

let csrf = "";
let onLoggedOut = () => {};

export function setSession(session: Session, loggedOut: () => void): void {
  csrf = session.csrf ?? "";
  onLoggedOut = loggedOut;
}

async function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  let answer: Response;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "The console does not answer. Is it still running?");
  }
  const text = await answer.text();
  let json: unknown = {};
  try {
    json = text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError(answer.status, "The console gave an answer that is no JSON.");
  }
  if (answer.ok) return json as T;
  if (answer.status === 401 && path !== "/api/v1/session") onLoggedOut();
  throw new ApiError(answer.status, (json as { error?: string }).error ?? answer.statusText);
}

export const get = <T>(path: string, signal?: AbortSignal) => send<T>("GET", path, undefined, signal);
export const post = <T>(path: string, body: unknown) => send<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown) => send<T>("PATCH", path, body);
export const remove = <T>(path: string) => send<T>("DELETE", path);

/** A query string of what is not empty, with its question mark. */
export function query(values: Record<string, string | number | undefined>): string {
  const pairs = Object.entries(values).filter(([, v]) => v !== undefined && v !== "");
  return pairs.length ? "?" + new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString() : "";
}

const ranks: Role[] = ["viewer", "analyst", "engineer", "admin"];

/** Whether somebody with this role may do what needs that one. */
export function may(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && ranks.indexOf(role) >= ranks.indexOf(needed);
}
