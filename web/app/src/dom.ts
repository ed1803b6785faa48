/** Elements of the page, found and made. Text is always text: nothing that comes from data is read as markup. */

export type Child = Node | string | number | null | undefined | false;
type Value = string | number | boolean | null | undefined | ((event: never) => void);
type Attributes = Record<string, Value>;

const SVG = "http://www.w3.org/2000/svg";

function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...shown(children));
}

function shown(children: readonly Child[]): (Node | string)[] {
  return children
    .filter((child): child is Node | string | number => child !== null && child !== undefined && child !== false)
    .map((child) => (typeof child === "number" ? String(child) : child));
}

/** An element: attributes by name, listeners as `onclick`, then what is in it. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/** The same for SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes, children);
  return element;
}

/** Puts these in the place of all that is in an element. */
export function put(element: Element, ...children: Child[]): void {
  element.replaceChildren(...shown(children));
}

/** An element of `index.html`, by its id and class. */
export function found<T extends Element>(id: string, Class: abstract new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof Class)) throw new Error(`the page has no ${Class.name} "${id}"`);
  return element;
}

/** Text that changes often: touches the page only where it differs. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
