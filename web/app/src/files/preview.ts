/** A look at a file before it streams: its first records, which column names them, and which graph it goes to. */

import { h } from "../dom.ts";
import type { Preview } from "../intake/reading.ts";
import { bytes, many } from "../words.ts";
import { actions, ask, dialog } from "./dialogs.ts";

export interface Chosen {
  identifier: string | undefined;
  isIntoOpen: boolean;
}

export async function lookAt(name: string, size: number, preview: Preview, openGraph: string | undefined): Promise<Chosen | undefined> {
  const { columns, rows } = preview;
  const identifier = h("select", { id: "preview-identifier" }, h("option", { value: "" }, "none: number them"),
    ...columns.map((column) => h("option", { value: column }, column)));
  identifier.value = preview.identifier ?? "";
  const here = h("input", { type: "radio", name: "into", value: "here" });
  const fresh = h("input", { type: "radio", name: "into", value: "new", checked: true });
  const heads = columns.map((column) => h("th", { scope: "col" }, column));
  const mark = (): void => heads.forEach((head, at) => head.classList.toggle("identifier", columns[at] === identifier.value));
  identifier.addEventListener("change", mark);
  mark();
  const table = h("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-label": "First records" },
    h("table", { class: "data" }, h("thead", {}, h("tr", {}, ...heads)),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...columns.map((_, at) => h("td", {}, row[at] ?? "")))))));
  const answer = await ask(dialog(name,
    h("p", { class: "soft" }, `About ${many(preview.records, "record")}, ${bytes(size)}`),
    ...(columns.length ? [h("label", { class: "field" }, "Identifier, never evidence", identifier), table] : []),
    ...(openGraph === undefined ? [] : [h("fieldset", { class: "into" }, h("legend", {}, "It goes to"),
      h("label", { class: "choice" }, fresh, "a new graph"), h("label", { class: "choice" }, here, `“${openGraph}”, the one that is open`))]),
    actions(["", "Cancel"], ["start", "Start", true])));
  return answer === "start" ? { identifier: identifier.value || undefined, isIntoOpen: here.checked } : undefined;
}
