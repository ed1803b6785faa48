// State hashes of the sets in `data`, as they are pinned natively.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { WEB } from "./server.mjs";

const lines = readFileSync(join(WEB, "../crates/cortexkg/tests/golden/hashes.txt"), "utf8").trim().split("\n");

/** By the name of the set. @type {Map<string, string>} */
export const pinned = new Map(lines.map((line) => /** @type {[string, string]} */ (line.split(" "))));
