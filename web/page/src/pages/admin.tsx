/* admin.tsx: users, tokens for programs, and the record of what people changed. */
import { useState } from "preact/hooks";
import { get, may, patch, post, remove, type Role } from "../api";
import { useData } from "../data";
import { Danger, Empty, Problem, Time, Waiting } from "../parts";
import type { PageProps } from "../pages";
import { linkTo } from "../route";

interface User { name: string; role: Role; made?: string | null }
interface Token { name: string; role: Role; by: string; made?: string | null; until?: string | null }
interface Audit { id: number; time: string; by: string; what: string; about: string; why: string }

const roles: [Role, string][] = [["viewer", "viewer: looks"], ["analyst", "analyst: works on alerts"], ["engineer", "engineer: says what is normal"], ["admin", "admin: manages users"]];
const AUDIT_PAGE = 100;

function RoleChoice({ name, value, label, onChange }: { name?: string; value?: Role; label?: string; onChange?: (role: Role) => void }) {
  return (
    <select name={name} aria-label={label} value={value} onChange={onChange && ((e) => onChange((e.target as HTMLSelectElement).value as Role))}>
      {roles.map(([role, words]) => <option key={role} value={role}>{words}</option>)}
    </select>
  );
}

/** A form whose fields go to the API; what it says no to is shown below. */
function useSend(onDone: () => void): [Error | undefined, (work: Promise<unknown>) => Promise<boolean>] {
  const [error, setError] = useState<Error>();
  const send = (work: Promise<unknown>) => work.then(() => { setError(undefined); onDone(); return true; }, (e: Error) => { setError(e); return false; });
  return [error, send];
}

function NewUser({ onDone }: { onDone: () => void }) {
  const [error, send] = useSend(onDone);
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const element = event.target as HTMLFormElement, form = new FormData(element);
    if (await send(post("/api/v1/users", { name: form.get("name"), role: form.get("role"), password: form.get("password") }))) element.reset();
  }
  return (
    <form class="stack card" onSubmit={submit} aria-labelledby="new-user">
      <h2 id="new-user">Add a user</h2>
      <label>Name <input name="name" required maxLength={63} pattern="[A-Za-z0-9._@\-]+" title="letters, digits and . _ - @" autocomplete="off" /></label>
      <label>Role <RoleChoice name="role" /></label>
      <label>First password, at least 10 characters <input name="password" type="password" minLength={10} required autocomplete="new-password" /></label>
      {error && <Problem error={error} />}
      <button type="submit" class="primary">Add</button>
    </form>
  );
}

function NewPassword({ name, onDone }: { name: string; onDone: () => void }) {
  const [error, send] = useSend(onDone);
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const element = event.target as HTMLFormElement;
    if (!(await send(patch(`/api/v1/users/${encodeURIComponent(name)}`, { password: new FormData(element).get("password") })))) return;
    element.reset();
    element.closest("details")!.open = false;
  }
  return (
    <details><summary>New password…</summary>
      <form class="stack" onSubmit={submit}>
        <label>New password for {name}; their sessions end <input name="password" type="password" minLength={10} required autocomplete="new-password" /></label>
        {error && <Problem error={error} />}
        <button type="submit">Set it</button>
      </form>
    </details>
  );
}

function Users({ own }: { own?: string }) {
  const { data, error, isLoading, reload } = useData<{ users: User[] }>("/api/v1/users");
  const [failed, send] = useSend(reload);
  return (
    <>
      {(error || failed) && <Problem error={(failed ?? error)!} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && (
        <table class="cards">
          <caption class="hidden">Users</caption>
          <thead><tr><th scope="col">User</th><th scope="col">Role</th><th scope="col">Made</th><th scope="col">Password</th><th scope="col"><span class="hidden">Remove</span></th></tr></thead>
          <tbody>
            {data.users.map((user) => (
              <tr key={user.name}>
                <td>{user.name}{user.name === own && <span class="soft"> (you)</span>}</td>
                <td data-label="Role"><RoleChoice key={user.role} value={user.role} label={`Role of ${user.name}`} onChange={(role) => void send(patch(`/api/v1/users/${encodeURIComponent(user.name)}`, { role })).then((ok) => ok || reload())} /></td>
                <td data-label="Made"><Time value={user.made} /></td>
                <td><NewPassword name={user.name} onDone={reload} /></td>
                <td>{user.name !== own && <Danger label="Remove" question={`Remove ${user.name}?`} onConfirm={() => void send(remove(`/api/v1/users/${encodeURIComponent(user.name)}`))} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <NewUser onDone={reload} />
    </>
  );
}

function NewToken({ onDone }: { onDone: () => void }) {
  const [error, send] = useSend(onDone);
  const [made, setMade] = useState<{ name: string; token: string }>();
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const element = event.target as HTMLFormElement, form = new FormData(element);
    const work = post<{ name: string; token: string }>("/api/v1/tokens", { name: form.get("name"), role: form.get("role"), days: Number(form.get("days")) });
    if (await send(work.then(setMade))) element.reset();
  }
  return (
    <>
      {made && (
        <div class="notice" role="status">
          <p>The token of <strong>{made.name}</strong> is shown only now; copy it:</p>
          <p><input class="mono secret" readOnly aria-label={`Token of ${made.name}`} value={made.token} onFocus={(e) => (e.target as HTMLInputElement).select()} /></p>
          <p class="soft">Programs send it as <code>Authorization: Bearer …</code></p>
        </div>
      )}
      <form class="stack card" onSubmit={submit} aria-labelledby="new-token">
        <h2 id="new-token">Add a token</h2>
        <label>Name of the program <input name="name" required maxLength={63} pattern="[A-Za-z0-9._@\-]+" title="letters, digits and . _ - @" autocomplete="off" /></label>
        <label>Role <RoleChoice name="role" /></label>
        <label>Valid <select name="days"><option value="90">90 days</option><option value="365">a year</option><option value="30">30 days</option><option value="0">for ever</option></select></label>
        {error && <Problem error={error} />}
        <button type="submit" class="primary">Add</button>
      </form>
    </>
  );
}

function Tokens() {
  const { data, error, isLoading, reload } = useData<{ tokens: Token[] }>("/api/v1/tokens");
  const [failed, send] = useSend(reload);
  return (
    <>
      {(error || failed) && <Problem error={(failed ?? error)!} retry={reload} />}
      {!data && isLoading && <Waiting />}
      {data && data.tokens.length === 0 && <Empty>No program has a token. SIEM, CMDB and Prometheus need one each.</Empty>}
      {data && data.tokens.length > 0 && (
        <table class="cards">
          <caption class="hidden">Tokens</caption>
          <thead><tr><th scope="col">Program</th><th scope="col">Role</th><th scope="col">Made</th><th scope="col">Valid until</th><th scope="col"><span class="hidden">Remove</span></th></tr></thead>
          <tbody>
            {data.tokens.map((token) => (
              <tr key={token.name}>
                <td>{token.name}</td><td data-label="Role">{token.role}</td><td data-label="Made"><Time value={token.made} /> by {token.by}</td>
                <td data-label="Until">{token.until ? <Time value={token.until} /> : "for ever"}</td>
                <td><Danger label="Remove" question={`Remove ${token.name}? The program is shut out at once.`} onConfirm={() => void send(remove(`/api/v1/tokens/${encodeURIComponent(token.name)}`))} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <NewToken onDone={reload} />
    </>
  );
}

/** The id of an alert, the first of several, is a way to it. */
function About({ row }: { row: Audit }) {
  const [, id, more] = /^([0-9a-f]{32})(.*)$/.exec(row.about) ?? [];
  return id && row.what.startsWith("alert.") ? <><a class="shown" href={linkTo("alerts", id, { triage: "all" })}>{id}</a>{more}</> : <>{row.about}</>;
}

function AuditLog() {
  const first = useData<{ audit: Audit[] }>(`/api/v1/audit?limit=${AUDIT_PAGE}`);
  const [older, setOlder] = useState<Audit[]>([]);
  const [isEnd, setEnd] = useState(false);
  const [error, setError] = useState<Error>();
  const rows = [...(first.data?.audit ?? []), ...older];
  async function showMore() {
    try {
      const next = await get<{ audit: Audit[] }>(`/api/v1/audit?limit=${AUDIT_PAGE}&before=${rows[rows.length - 1]!.id}`);
      setOlder([...older, ...next.audit]);
      setEnd(next.audit.length < AUDIT_PAGE);
    } catch (e) {
      setError(e as Error);
    }
  }
  return (
    <>
      {(first.error || error) && <Problem error={(first.error ?? error)!} retry={() => { setError(undefined); first.reload(); }} />}
      {!first.data && first.isLoading && <Waiting />}
      {first.data && rows.length === 0 && <Empty>Nobody has changed anything yet.</Empty>}
      {rows.length > 0 && (
        <table class="cards audit">
          <caption class="hidden">Changes, newest first</caption>
          <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">About</th><th scope="col">Details</th></tr></thead>
          <tbody>{rows.map((row) => <tr key={row.id}><td><Time value={row.time} /></td><td data-label="Who">{row.by}</td><td data-label="What">{row.what}</td><td data-label="About"><About row={row} /></td><td data-label="Details">{row.why}</td></tr>)}</tbody>
        </table>
      )}
      {rows.length >= AUDIT_PAGE && !isEnd && <button type="button" class="more" onClick={() => void showMore()}>Show older changes</button>}
    </>
  );
}

const parts: [string, string][] = [["", "Users"], ["tokens", "Tokens for programs"], ["audit", "Audit log"]];

export function Admin({ route, session }: PageProps) {
  if (!may(session.role, "admin")) return <Problem error={new Error(session.has_users ? `This page is for administrators, and your role is ${session.role}. An administrator can give you another one.` : "There are no users yet.")} />;
  return (
    <section class="admin" aria-labelledby="admin-title">
      <div class="bar">
        <h1 id="admin-title">Administration</h1>
        <nav aria-label="Parts of the administration">{parts.map(([name, title]) => <a key={name} href={linkTo("admin", name)} aria-current={route.rest === name ? "page" : undefined}>{title}</a>)}</nav>
      </div>
      {route.rest === "tokens" ? <Tokens /> : route.rest === "audit" ? <AuditLog /> : <Users own={session.user} />}
    </section>
  );
}
