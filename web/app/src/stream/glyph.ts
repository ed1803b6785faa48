/** The three decisions as small shapes, the same as on the map: told apart without their colours. */

import type { Decision } from "cortexkg";

import { s } from "../dom.ts";

export function glyph(decision: Decision): SVGSVGElement {
  const shape = {
    existing: () => [s("circle", { cx: 8, cy: 8, r: 5.5, class: "fill" })],
    new: () => [s("circle", { cx: 8, cy: 8, r: 5.5, class: "stroke" }), s("circle", { cx: 8, cy: 8, r: 1.6, class: "fill" })],
    possible: () => [s("path", { d: "M8 1.6 14.4 8 8 14.4 1.6 8Z", class: "stroke" }), s("circle", { cx: 8, cy: 8, r: 1.6, class: "fill" })],
  }[decision]();
  return s("svg", { viewBox: "0 0 16 16", class: `glyph ${decision}`, "aria-hidden": "true" }, ...shape);
}
