/** Which parts are seen: tabs below on a phone, and two tabs beside the map where there is room. */

import { h, put, write } from "./dom.ts";
import type { Page, View } from "./page.ts";
import { whole } from "./words.ts";

const NAMES: Record<View, string> = { map: "Map", decisions: "Decisions", node: "Node", review: "Review" };
const SIDE: readonly View[] = ["node", "review"];

export interface SidePanels {
  node: HTMLElement;
  review: HTMLElement;
}

export function arrangeViews(page: Page, workspace: HTMLElement, side: HTMLElement, nav: HTMLElement): SidePanels {
  const counts: HTMLElement[] = [];
  const count = (): HTMLElement => {
    const shown = h("span", { class: "count" });
    counts.push(shown);
    return shown;
  };
  const buttons = (Object.keys(NAMES) as View[]).map((view) =>
    h("button", { type: "button", "data-view": view, onclick: () => (page.view.value = view) }, NAMES[view], view === "review" && count()));
  put(nav, ...buttons);

  const tabs = SIDE.map((view) =>
    h("button", { type: "button", role: "tab", id: `tab-${view}`, "aria-controls": `panel-${view}`, onclick: () => (page.view.value = view) },
      NAMES[view], view === "review" && count()));
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Beside the map" }, ...tabs);
  list.addEventListener("keydown", (event) => {
    const isStep = event.key === "ArrowRight" || event.key === "ArrowLeft";
    if (!isStep) return;
    const at = (tabs.indexOf(document.activeElement as HTMLButtonElement) + 1) % tabs.length;
    page.view.value = SIDE[at] ?? "node";
    tabs[at]?.focus();
    event.preventDefault();
  });
  const panel = (view: View): HTMLElement =>
    h("div", { role: "tabpanel", id: `panel-${view}`, "aria-labelledby": `tab-${view}`, class: "side-panel", tabindex: -1 });
  const panels: SidePanels = { node: panel("node"), review: panel("review") };
  side.append(list, panels.node, panels.review);

  let sideView: View = "node";
  page.view.follow((view) => {
    workspace.dataset["view"] = view;
    if (SIDE.includes(view)) sideView = view;
    for (const button of buttons) {
      if (button.dataset["view"] === view) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    tabs.forEach((tab, at) => {
      const isChosen = SIDE[at] === sideView;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    });
    panels.node.hidden = sideView !== "node";
    panels.review.hidden = sideView !== "review";
  });
  page.openCalls.follow((calls) => {
    for (const shown of counts) write(shown, calls.length ? ` ${whole(calls.length)}${calls.length >= 500 ? "+" : ""}` : "");
  });
  return panels;
}
