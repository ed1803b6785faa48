// The sets that ship with the repository, as facts.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** The root of the repository. */
const root = new URL("../../../../", import.meta.url);

/** A file of the repository as text, unpacked. */
export const read = (path) => {
  const bytes = readBytes(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
};
/** Its bytes, as they are. */
export const readBytes = (path) => readFileSync(new URL(path, root));
/** State hashes that the native tests pin, by set. */
export const pinned = new Map(read("crates/cortexkg/tests/golden/hashes.txt").trim().split("\n").map((line) => line.split(" ")));

/** Rows of a CSV file. */
function rows(text) {
  const rows = [[""]];
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    const row = rows.at(-1);
    if (isQuoted) {
      if (character !== '"') row[row.length - 1] += character;
      else if (text[at + 1] === '"') row[row.length - 1] += text[++at];
      else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === ",") row.push("");
    else if (character === "\n") rows.push([""]);
    else if (character !== "\r") row[row.length - 1] += character;
  }
  return rows.filter((row) => row.length > 1 || row[0] !== "");
}

/** Every row as a record, the first column as its identifier. */
export function facts(set) {
  const [header, ...records] = rows(read(`data/${set}/records.csv${set === "patentsview-10k" ? ".gz" : ""}`));
  return records.map((row) => ({ id: row[0], fields: header.slice(1).map((name, at) => [name, row[at + 1]]) }));
}
