// A graph in files: it survives its process, whenever that ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { CortexKG, StorageError, StorageLockedError } from "../../dist/index.js";
import { fileStorage } from "../../dist/node.js";
import { random } from "../random.mjs";

const root = mkdtempSync(join(tmpdir(), "cortexkg-"));
after(() => rmSync(root, { recursive: true }));

const thing = (at) => ({ id: `${at}`, text: `thing number ${at * 7919}` });

if (process.env.CORTEXKG_FOLDER) {
  // The child of the test below: adds facts and says so as soon as they are acknowledged.
  const graph = await CortexKG.open({ storage: fileStorage(process.env.CORTEXKG_FOLDER) });
  for (let at = (await graph.metrics()).facts; ; at++) {
    await graph.allocateFact(thing(at));
    await graph.save();
    process.stdout.write(`${at + 1}\n`);
  }
}

test("what is saved is there for the next process, and one has it at a time", async () => {
  const folder = join(root, "a graph, ⛵");
  const graph = await CortexKG.open({ storage: fileStorage(folder) });
  await graph.allocateFacts([0, 1, 2].map(thing));
  await graph.save();
  assert.throws(() => fileStorage(folder), (error) => error instanceof StorageLockedError && error.message.includes(`${process.pid}`));
  const hash = await graph.stateHash();
  await graph.close();
  assert.deepEqual(readdirSync(folder).sort(), ["0.log", "1.log"]);
  const back = await CortexKG.open({ storage: fileStorage(folder) });
  assert.equal(await back.stateHash(), hash);
  await back.close();
});

test("a lock whose process is no more is taken over, one that says nothing is not", async () => {
  const folder = join(root, "left");
  await fileStorage(folder).close();
  writeFileSync(join(folder, "lock"), `${2 ** 22 + 7}`);
  await fileStorage(folder).close();
  writeFileSync(join(folder, "lock"), "");
  assert.throws(() => fileStorage(folder), StorageLockedError);
});

test("what cannot be a folder is told", () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  assert.throws(() => fileStorage(file), StorageError);
});

test("killed at any moment, what was acknowledged is there", { timeout: 60_000 }, async () => {
  const folder = join(root, "killed");
  const draw = random(7);
  let acknowledged = 0;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { env: { ...process.env, CORTEXKG_FOLDER: folder }, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (data) => (said += data));
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, 150 * draw()));
    child.kill("SIGKILL");
    await once(child, "close");
    acknowledged = Number(said.slice(0, said.lastIndexOf("\n")).split("\n").at(-1));
    const graph = await CortexKG.open({ storage: fileStorage(folder) });
    const { facts } = await graph.metrics();
    assert.ok(facts === acknowledged || facts === acknowledged + 1, `${facts} of ${acknowledged}`);
    await graph.close();
  }
});
