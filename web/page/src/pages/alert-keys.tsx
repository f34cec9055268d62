/* alert-keys.tsx: working through the alerts by keyboard: single letters, which one can switch off, and the list of them. */
import { useEffect, useRef, useState } from "preact/hooks";

export interface KeyWork {
  /** To the next alert (1) or the one before (-1). */
  step: (by: 1 | -1) => void;
  /** Back to the list. */
  dismiss: () => void;
  /** Chooses the open alert for work on many, or takes it out again. */
  choose?: () => void;
  /** The chosen ones, else the open one. */
  acknowledge?: () => void;
  close?: () => void;
}

const letters: [string, string, keyof KeyWork | "find" | "help"][] = [
  ["j", "next alert", "step"], ["k", "the one before", "step"], ["x", "choose the open alert, or not", "choose"], ["a", "acknowledge the chosen alerts, else the open one", "acknowledge"],
  ["c", "close them", "close"], ["/", "find", "find"], ["?", "these keys", "help"],
];
const OFF = "sightglass-letters-off";

function areOff(): boolean {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false; // a browser that keeps nothing
  }
}

function switchOff(isOff: boolean): void {
  try {
    localStorage.setItem(OFF, isOff ? "1" : "");
  } catch {
    // then for as long as the page is open they stay on
  }
}

/** A button and what it opens; holds the listener, so that the keys work wherever the button is shown. */
export function Keys({ work }: { work: KeyWork }) {
  const dialog = useRef<HTMLDialogElement>(null), latest = useRef(work);
  const [isOff, setOff] = useState(areOff), off = useRef(isOff); // the next key obeys at once, before anything is drawn
  latest.current = work;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement, now = latest.current;
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
      if (event.key === "Escape") return now.dismiss();
      const known = off.current ? undefined : letters.find(([key]) => key === event.key);
      if (!known) return;
      event.preventDefault();
      if (known[2] === "step") now.step(event.key === "j" ? 1 : -1);
      else if (known[2] === "find") document.querySelector<HTMLElement>("form[role=search] input[type=search]")?.focus();
      else if (known[2] === "help") dialog.current?.showModal();
      else (now[known[2]] as (() => void) | undefined)?.();
    };
    const left = () => dialog.current?.close(); // "back" goes to another place, which must not lie below the dialog
    addEventListener("keydown", pressed);
    addEventListener("hashchange", left);
    return () => { removeEventListener("keydown", pressed); removeEventListener("hashchange", left); };
  }, []);
  const choose = (isOn: boolean) => { off.current = !isOn; setOff(!isOn); switchOff(!isOn); };
  return (
    <>
      <button type="button" class="keys-button" onClick={() => dialog.current?.showModal()}>Keys</button>
      <dialog ref={dialog} aria-labelledby="keys-title" class="card">
        <h2 id="keys-title">Keys</h2>
        <dl class="keys">
          {letters.map(([key, what]) => [<dt key={key}><kbd>{key}</kbd></dt>, <dd key={key + "."}>{what}</dd>])}
          <dt><kbd>Esc</kbd></dt><dd>back to the list</dd>
        </dl>
        <p><label><input type="checkbox" checked={!isOff} onChange={(e) => choose((e.target as HTMLInputElement).checked)} /> Single letters work</label></p>
        <form method="dialog"><button class="primary">Done</button></form>
      </dialog>
    </>
  );
}
