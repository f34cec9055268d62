/* app.tsx: the frame around the pages: who is logged in, where one is, whether the page is live. */
import { render } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get, post, remove, setSession, type ApiError, type Session } from "./api";
import { useStream, type StreamEvent } from "./data";
import { pages } from "./pages";
import { Problem, Waiting } from "./parts";
import { useRoute } from "./route";

type Live = "connecting" | "live" | "lost";

function LogIn({ session, hasEnded, onDone }: { session: Session; hasEnded: boolean; onDone: () => void }) {
  const [error, setError] = useState<ApiError>();
  const [isBusy, setBusy] = useState(false);
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    setBusy(true);
    setError(undefined);
    try {
      await post("/api/v1/session", { user: form.get("user"), password: form.get("password") });
      onDone();
    } catch (e) {
      setError(e as ApiError);
      setBusy(false);
    }
  }
  return (
    <main class="login">
      <form onSubmit={submit}>
        <h1><img src="/icon.svg" alt="" width="28" height="28" /> Sightglass</h1>
        <p class="soft">{session.site}</p>
        <label>User <input name="user" autocomplete="username" required autoFocus /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        {hasEnded && !error && <p class="notice" role="status">Your session has ended. Log in to go on where you were.</p>}
        {error && <Problem error={error} />}
        <button type="submit" class="primary" disabled={isBusy}>{isBusy ? "One moment…" : "Log in"}</button>
      </form>
    </main>
  );
}

function Top({ session, page, live, onLogOut }: { session: Session; page: string; live: Live; onLogOut: () => void }) {
  const current = pages.find((p) => p.name === page)?.partOf ?? page;
  const words = { connecting: "Connecting…", live: "Live", lost: "Connection lost, trying again…" };
  return (
    <header class="top">
      <a class="skip" href="#main" onClick={(e) => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the content</a>
      <p class="brand"><img src="/icon.svg" alt="" width="24" height="24" /> Sightglass <span class="soft">{session.site}</span></p>
      <nav aria-label="Pages">
        {pages.filter((p) => p.isInMenu && (!p.role || session.role === p.role)).map((p) => (
          <a key={p.name} href={`#/${p.name}`} aria-current={p.name === current ? "page" : undefined}>{p.title}</a>
        ))}
      </nav>
      <p class={`live is-${live}`} role="status">{words[live]}</p>
      {session.user && (
        <p class="who">
          <a href="#/account" aria-label={`Account of ${session.user}, ${session.role}`}>{session.user}</a> <span class="soft">{session.role}</span>{" "}
          <button type="button" onClick={onLogOut}>Log out</button>
        </p>
      )}
    </header>
  );
}

/** Who follows a link that is gone on the next page goes on at its content. */
function useKeptFocus(place: string): void {
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current && (!document.activeElement || document.activeElement === document.body)) document.getElementById("main")?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [place]);
}

function Frame({ session, onLogOut }: { session: Session; onLogOut: () => void }) {
  const route = useRoute();
  const [live, setLive] = useState<Live>("connecting");
  const [problem, setProblem] = useState("");
  const [news, setNews] = useState<StreamEvent>();
  useStream((event) => {
    if (event.name === "live" || event.name === "lost") setLive(event.name);
    else if (event.name === "problem") setProblem((event.data as { error: string }).error);
    else setNews(event);
    if (event.name === "status") setProblem("");
  });
  const page = pages.find((p) => p.name === route.page);
  useKeptFocus(`${route.page}/${route.rest}`);
  useEffect(() => {
    document.title = `${page?.title ?? "Not here"} · Sightglass`;
  }, [page]);
  return (
    <>
      <Top session={session} page={route.page} live={live} onLogOut={onLogOut} />
      {problem && <p class="problem" role="alert">{problem}</p>}
      {!session.has_users && (
        <p class="notice">Nobody can log in yet, so this page only shows. To work on alerts make a user: <code>sightglass console user add NAME <span class="nobr">--role</span> admin <span class="nobr">-s</span> STORE</code>, with the store of this console.</p>
      )}
      <main id="main" tabIndex={-1}>
        {page ? <page.Component route={route} session={session} news={news} /> : <><Problem error={new Error("There is no such page.")} /><p><a href="#/overview">To the overview</a></p></>}
      </main>
    </>
  );
}

function App() {
  const [session, setState] = useState<Session>();
  const [error, setError] = useState<Error>();
  const [hasEnded, setEnded] = useState(false); // by itself, not by a click
  const load = useCallback(() => {
    setError(undefined);
    get<Session>("/api/v1/session").then((s) => {
      setSession(s, () => { setEnded(true); load(); });
      setState(s);
    }, setError);
  }, []);
  useEffect(load, [load]);
  if (error) return <main><Problem error={error} retry={load} /></main>;
  if (!session) return <main><Waiting /></main>;
  if (session.needs_login) return <LogIn session={session} hasEnded={hasEnded} onDone={() => { setEnded(false); load(); }} />;
  return <Frame session={session} onLogOut={() => void remove("/api/v1/session").finally(load)} />;
}

render(<App />, document.getElementById("app")!);
