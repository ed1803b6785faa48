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

test("memory may be bounded: what was said, and what is seldom looked at, lies in files that go with the graph", async () => {
  const folder = join(root, "bounded");
  const draw = random(3);
  const facts = Array.from({ length: 6_000 }, (_, at) => ({ id: `${at}`, fields: { name: `thing ${Math.floor(draw() * 4_000)}`, note: `${draw()}`.repeat(20) } }));
  const unbounded = await CortexKG.open();
  await unbounded.allocateFacts(facts);
  const storage = fileStorage(folder);
  const written = { scratch: 0, swap: 0 };
  for (const name of ["scratch", "swap"]) {
    const { write } = storage[name];
    storage[name].write = (at, bytes) => {
      written[name] += bytes.length;
      write(at, bytes);
    };
  }
  const graph = await CortexKG.open({ storage, maxMemoryBytes: 7e6 });
  await graph.allocateFacts(facts);
  assert.equal(await graph.stateHash(), await unbounded.stateHash());
  for (const name of ["scratch", "swap"]) assert.ok(written[name] > 1_000_000, `${written[name]} bytes in ${name}`);
  await graph.save();
  await graph.close();
  assert.deepEqual(readdirSync(folder).sort(), ["0.log", "1.log"]);
  const again = await CortexKG.open({ storage: fileStorage(folder), maxMemoryBytes: 7e6 });
  assert.equal(await again.stateHash(), await unbounded.stateHash());
  assert.equal((await again.facts((await again.search("thing 7"))[0].node)).length > 0, true);
  await again.close();
  await unbounded.close();
});

test("a lock whose process is no more is taken over, one that says nothing is not", async () => {
  const folder = join(root, "left");
  await fileStorage(folder).close();
  writeFileSync(join(folder, "lock"), `${2 ** 22 + 7}`);
  await fileStorage(folder).close();
  writeFileSync(join(folder, "lock"), "");
  assert.throws(() => fileStorage(folder), StorageLockedError);
});

test("a process that has the number of one that is no more takes its lock over", { skip: process.platform !== "linux" }, async () => {
  const folder = join(root, "again");
  await fileStorage(folder).close();
  // As in a container that is started again: every process has the number that it had, and began at another time.
  writeFileSync(join(folder, "lock"), `${process.pid} 1 of-before`);
  const storage = fileStorage(folder);
  assert.throws(() => fileStorage(folder), StorageLockedError);
  await storage.close();
});

test("whoever has lost the lock writes no more, and leaves that of another alone", async () => {
  const folder = join(root, "lost");
  const storage = fileStorage(folder);
  await storage.append(Uint8Array.of(1));
  const lock = join(folder, "lock");
  rmSync(lock);
  const other = fileStorage(folder);
  await assert.rejects(storage.append(Uint8Array.of(2)), StorageLockedError);
  await storage.close();
  assert.throws(() => fileStorage(folder), StorageLockedError);
  await other.append(Uint8Array.of(3));
  assert.deepEqual((await other.load()).map((piece) => piece[0]), [1, 3]);
  await other.close();
});

test("whoever has lost the lock begins nothing that another has saved", async () => {
  const folder = join(root, "lost parts");
  const storage = fileStorage(folder);
  await storage.replace(Uint8Array.of(1));
  const begun = storage.begin();
  rmSync(join(folder, "lock"));
  const other = fileStorage(folder);
  await other.replace(Uint8Array.of(2));
  for (const what of [() => storage.begin(), () => begun.write(Uint8Array.of(3)), () => begun.abandon()]) assert.throws(what, StorageLockedError);
  await assert.rejects(begun.end(), StorageLockedError);
  await storage.close();
  assert.deepEqual((await other.load()).map((piece) => piece[0]), [2]);
  await other.close();
  assert.deepEqual(readdirSync(folder).sort(), ["0.log", "1.log"]);
});

test("what is closed is not written, and can be closed again", async () => {
  const folder = join(root, "closed");
  const storage = fileStorage(folder);
  await storage.close();
  // It gets the numbers of the descriptors that were closed.
  const other = fileStorage(join(root, "other"));
  await other.append(Uint8Array.of(1));
  await assert.rejects(storage.append(Uint8Array.of(2)), /was closed; open it again/);
  await storage.close();
  await other.append(Uint8Array.of(3));
  assert.deepEqual((await other.load()).map((piece) => piece[0]), [1, 3]);
  await other.close();
});

test("of many processes that find the lock of one that is no more, one has it", { timeout: 60_000 }, async () => {
  const folder = join(root, "raced");
  await fileStorage(folder).close();
  const script = `
    import { fileStorage } from ${JSON.stringify(new URL("../../dist/node.js", import.meta.url).href)};
    process.on("message", () => {
      try { fileStorage(${JSON.stringify(folder)}); process.send("taken"); } catch (error) { process.send(error.name); }
    });
    process.send("ready");`;
  const children = Array.from({ length: 4 }, () => spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "inherit", "inherit", "ipc"] }));
  await Promise.all(children.map((child) => once(child, "message")));
  writeFileSync(join(folder, "lock"), `${2 ** 22 + 7}`);
  const answers = Promise.all(children.map((child) => once(child, "message")));
  for (const child of children) child.send("go");
  const told = (await answers).map(([answer]) => answer).sort();
  for (const child of children) child.kill("SIGKILL");
  assert.deepEqual(told, ["StorageLockedError", "StorageLockedError", "StorageLockedError", "taken"]);
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
