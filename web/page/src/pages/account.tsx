/* account.tsx: one's own password. */
import { useState } from "preact/hooks";
import { post } from "../api";
import { Problem } from "../parts";
import type { PageProps } from "../pages";

export function Account({ session }: PageProps) {
  const [error, setError] = useState<Error>();
  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    if (form.get("new") !== form.get("again")) {
      setError(new Error("The two new passwords differ."));
      return;
    }
    try {
      await post("/api/v1/password", { old: form.get("old"), new: form.get("new") });
      location.reload();
    } catch (e) {
      setError(e as Error);
    }
  }
  return (
    <section class="card" aria-labelledby="account-title">
      <h1 id="account-title">{session.user || "Nobody is logged in"}</h1>
      <p>Your role is {session.role}.</p>
      {session.user && (
        <form class="stack" onSubmit={submit}>
          <h2>Change your password</h2>
          <label>Old password <input name="old" type="password" autocomplete="current-password" required /></label>
          <label>New password, at least 10 characters <input name="new" type="password" autocomplete="new-password" minLength={10} required /></label>
          <label>The new one again <input name="again" type="password" autocomplete="new-password" minLength={10} required /></label>
          {error && <Problem error={error} />}
          <button type="submit" class="primary">Change it</button>
        </form>
      )}
    </section>
  );
}
