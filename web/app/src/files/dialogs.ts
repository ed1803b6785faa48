/** Questions that have to be answered before something goes on. */

import { h } from "../dom.ts";

/** Shows a dialog until it is closed; gives the value that it was closed with. */
export function ask(dialog: HTMLDialogElement): Promise<string> {
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

let dialogs = 0;

export function dialog(title: string, ...content: (Node | string)[]): HTMLDialogElement {
  const id = `dialog-${++dialogs}`;
  return h("dialog", { "aria-labelledby": id }, h("form", { method: "dialog" }, h("h2", { id }, title), ...content));
}

export function actions(...buttons: [value: string, label: string, isPrimary?: boolean][]): HTMLElement {
  return h("div", { class: "actions" }, ...buttons.map(([value, label, isPrimary]) =>
    h("button", { value, class: isPrimary ? "primary" : "", formnovalidate: value === "" }, label)));
}

export async function confirmed(title: string, detail: string, action: string): Promise<boolean> {
  return (await ask(dialog(title, h("p", {}, detail), actions(["", "Cancel"], ["yes", action, true])))) === "yes";
}

/** A name, or none if it was not to be. */
export async function named(title: string, name: string, taken: readonly string[], action: string): Promise<string | undefined> {
  const input = h("input", { type: "text", id: "graph-name-input", required: true, maxlength: 80, value: name, "aria-describedby": "graph-name-problem" });
  const problem = h("p", { class: "problem-text small", id: "graph-name-problem" });
  const check = (): void => {
    const isTaken = taken.includes(input.value.trim());
    problem.textContent = isTaken ? "A graph of this name is kept here already; choose another name." : "";
    input.setCustomValidity(isTaken ? problem.textContent : "");
  };
  input.addEventListener("input", check);
  check();
  const answer = await ask(dialog(title, h("label", { class: "field" }, "Name", input), problem, actions(["", "Cancel"], ["yes", action, true])));
  return answer === "yes" ? input.value.trim() || undefined : undefined;
}
