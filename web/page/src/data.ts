/* data.ts: loading for pages: keeps the old answer while a new one comes, so that nothing flickers. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "./api";

export interface Loaded<T> {
  data?: T;
  error?: Error;
  isLoading: boolean;
  /** Asks again; the old answer stays until the new one is there. */
  reload: () => void;
}

/** Loads a path of the API, anew whenever it changes. null: nothing yet. */
export function useData<T>(path: string | null): Loaded<T> {
  const [state, setState] = useState<{ path: string | null; data?: T; error?: Error; isLoading: boolean }>({ path, isLoading: path !== null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    setState((before) => ({ path, data: before.path === path ? before.data : undefined, isLoading: true }));
    get<T>(path, abort.signal).then(
      (data) => setState({ path, data, isLoading: false }),
      (error: Error) => {
        if (!abort.signal.aborted) setState((before) => ({ path, data: before.data, error, isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [path, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { data: state.path === path ? state.data : undefined, error: state.error, isLoading: state.isLoading, reload };
}

export interface StreamEvent {
  name: "alerts" | "stories" | "status" | "problem" | "live" | "lost";
  data?: unknown;
}

/** Calls back with what the server tells of its own accord: changed alerts and stories, numbers, problems; and when the connection is
 * there ("live") or lost. */
export function useStream(listener: (event: StreamEvent) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const source = new EventSource("/api/v1/stream");
    const pass = (name: StreamEvent["name"]) => (event: MessageEvent) => latest.current({ name, data: JSON.parse(event.data as string) });
    source.addEventListener("alerts", pass("alerts"));
    source.addEventListener("stories", pass("stories"));
    source.addEventListener("status", pass("status"));
    source.addEventListener("problem", pass("problem"));
    source.addEventListener("open", () => latest.current({ name: "live" }));
    source.addEventListener("error", () => latest.current({ name: "lost" }));
    return () => source.close();
  }, []);
}
