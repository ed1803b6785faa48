/** Light, dark, or as the system has it; and the colours as numbers, for canvases. */

import { h } from "./dom.ts";
import { Topic } from "./signal.ts";

type Theme = "system" | "light" | "dark";
const KEY = "cortexkg-theme";

/** Told when colours have changed. */
export const recoloured = new Topic<void>();

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  recoloured.tell();
}

function kept(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === "light" || theme === "dark" ? theme : "system";
  } catch {
    return "system";
  }
}

/** Sets the theme that was chosen last; returns the control to choose another. */
export function themeChoice(): HTMLElement {
  const select = h(
    "select",
    { id: "theme" },
    h("option", { value: "system" }, "As the system"),
    h("option", { value: "light" }, "Light"),
    h("option", { value: "dark" }, "Dark"),
  );
  select.value = kept();
  apply(kept());
  select.addEventListener("change", () => {
    try {
      localStorage.setItem(KEY, select.value);
    } catch {
      // It holds until the page is left.
    }
    apply(select.value as Theme);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => recoloured.tell());
  return h("div", { class: "row" }, h("label", { class: "bare", for: "theme" }, "Colours"), select);
}

/** Colour tokens as red, green, blue, 0 to 1. */
export function colours<Name extends string>(names: readonly Name[]): Record<Name, [number, number, number]> {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const entries = names.map((name) => {
    probe.style.color = `var(--${name})`;
    const numbers = getComputedStyle(probe).color.match(/[\d.]+/g)?.map(Number) ?? [];
    return [name, [(numbers[0] ?? 0) / 255, (numbers[1] ?? 0) / 255, (numbers[2] ?? 0) / 255]];
  });
  probe.remove();
  return Object.fromEntries(entries) as Record<Name, [number, number, number]>;
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)");
