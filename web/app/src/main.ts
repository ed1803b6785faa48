/** Puts the page together. */

import { Desk } from "./desk.ts";
import { found, h } from "./dom.ts";
import { EXAMPLES } from "./examples.ts";
import { Bar } from "./files/bar.ts";
import { confirmed } from "./files/dialogs.ts";
import { acceptDrops } from "./files/drop.ts";
import { namesKept } from "./graph.ts";
import { MapPanel } from "./map/panel.ts";
import { Readout } from "./metrics/readout.ts";
import { NodePanel } from "./node/panel.ts";
import { Page } from "./page.ts";
import { ReviewPanel } from "./review/panel.ts";
import { SearchBox } from "./search/combobox.ts";
import { StartScreen } from "./start.ts";
import { StreamControls } from "./stream/controls.ts";
import { DecisionList } from "./stream/decisions.ts";
import { arrangeViews } from "./views.ts";

const page = new Page(found("live", HTMLElement), found("notices", HTMLElement));
const desk = new Desk(page);
const parameters = new URLSearchParams(location.search);

const workspace = found("workspace", HTMLElement);
const views = found("views", HTMLElement);
const side = arrangeViews(page, workspace, found("side", HTMLElement), views);

const bar = new Bar(page, found("graph-state", HTMLElement), found("bar-end", HTMLElement), {
  save: () => void desk.save(),
  saveAs: () => void desk.saveAs(),
  graphs: () => void desk.graphs(),
  begin: () => void desk.begin(),
  exportGraph: () => void desk.exportGraph(),
  importGraph: (file) => void desk.importGraph(file),
  lookAgain: () => void desk.lookAgain(),
  tidyMap: () => void desk.tidyMap(),
  about: () => void desk.about(),
});
const search = new SearchBox(page, found("search", HTMLElement));

const decisions = found("decisions", HTMLElement);
decisions.append(h("div", { class: "panel-title" }, h("h2", { id: "decisions-title" }, "Decisions")));
const controls = new StreamControls(decisions, (column) => desk.identifyBy(column));
desk.perSecond = () => controls.perSecond;
desk.feed.listen((feed) => {
  if (feed) controls.show(feed.run, feed.preview.columns, feed.identifier);
  else controls.clear();
});
new DecisionList(page, decisions);

const mapPanel = found("map", HTMLElement);
const map = new MapPanel(page, mapPanel);
new Readout(page, mapPanel);
new NodePanel(page, side.node, confirmed);
new ReviewPanel(page, side.review);

const engineProblem =
  typeof WebAssembly === "object"
    ? undefined
    : "The engine is WebAssembly, and this browser has none or has it turned off. Use a current browser, or allow WebAssembly (some call it JavaScript JIT, or lockdown) for this site.";
const start = new StartScreen(found("start", HTMLElement), {
  file: (file) => void desk.file(file),
  example: (example) => void desk.example(example),
  open: (name) => void desk.openKept(name),
  remove: (name) => void desk.remove(name).then(showStart),
}, engineProblem);

async function showStart(): Promise<void> {
  if (page.graph.value) return;
  start.show(await namesKept());
}

page.graph.follow((graph) => {
  workspace.hidden = views.hidden = graph === undefined;
  document.title = graph ? `${graph.name} – CortexKG` : "CortexKG";
  if (graph) {
    start.hide();
    const end = graph.decided.listen(() => {
      performance.mark("cortexkg:first-decision");
      end();
    });
  } else void showStart();
});

if (!engineProblem) acceptDrops((file) => void desk.file(file));

addEventListener("keydown", (event) => {
  const { target } = event;
  const isTyping = target instanceof HTMLElement && target.matches("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || !bar.hasShortcuts || !page.graph.value) return;
  event.preventDefault();
  search.focus();
});

addEventListener("beforeunload", (event) => {
  const saved = page.graph.value?.saved.value;
  const isAtStake = saved === "unsaved" || saved === "saving" || saved === "memory";
  if (isAtStake && !parameters.has("example")) event.preventDefault();
});

const example = EXAMPLES.find(({ name }) => name === parameters.get("example"));
if (parameters.has("bench")) void import("./bench.ts").then(({ bench }) => bench(page, map.stage, workspace));
else if (example && !engineProblem) void desk.example(example);
