/** Tables (CSV, TSV): a header, then one record per row. papaparse splits them; lines are counted here. */

import type { Fact } from "cortexkg";
import Papa from "papaparse";

import { guessIdentifier } from "./identifier.ts";
import type { BadLine, Read, ReadOptions } from "./reading.ts";
import type { Piece } from "./text.ts";
import { UnreadableError } from "./text.ts";

/** A row that is longer has a quote that is never closed, most likely. */
const ROW_CHARS_MAX = 1 << 20;

interface Row {
  line: number;
  values: string[];
}

/** Splits pieces of text into rows, and knows on which line each begins. */
class Splitter {
  #parser: { parse(input: string, baseIndex: number, ignoreLastRow: boolean): ReturnType<typeof Papa.parse> } | undefined;
  #rest = "";
  #line = 1;

  next(piece: Piece): { rows: Row[]; bad: BadLine[] } {
    this.#rest += piece.text;
    const rows: Row[] = [];
    const bad: BadLine[] = [];
    if (!this.#parser) {
      // A few whole lines tell what separates values; wait for them.
      if (!piece.isLast && this.#rest.length < 4096 && this.#rest.split("\n").length < 12) return { rows, bad };
      this.#parser = parserFor(this.#rest);
    }
    const { data, errors, meta } = this.#parser.parse(this.#rest, 0, !piece.isLast);
    const wrong = new Map(errors.map((error) => [error.row ?? data.length - 1, error.message]));
    data.forEach((values, at) => {
      const line = this.#line;
      this.#line += 1 + values.reduce((sum, value) => sum + (value.includes("\n") ? value.split("\n").length - 1 : 0), 0);
      const problem = wrong.get(at);
      if (problem) bad.push({ line, reason: quoteProblem(problem) });
      else if (values.length > 1 || values[0]?.trim()) rows.push({ line, values: values.map((value) => value.trim()) });
    });
    this.#rest = piece.isLast ? "" : this.#rest.slice(meta.cursor);
    if (this.#rest.length > ROW_CHARS_MAX) {
      bad.push({ line: this.#line, reason: "a quote is opened and not closed within a million characters; close it, or double it" });
      const end = this.#rest.indexOf("\n") + 1;
      this.#rest = end > 0 ? this.#rest.slice(end) : "";
      this.#line++;
    }
    return { rows, bad };
  }
}

const quoteProblem = (message: string): string => `${message.toLowerCase()}; write a quote within a value twice`;

function parserFor(beginning: string): InstanceType<typeof Papa.Parser> {
  const { delimiter } = Papa.parse(beginning.slice(0, 100_000), { preview: 20 }).meta;
  // Values in quotes have line ends of their own: a text that was typed on Windows, in a table that was written elsewhere.
  const unquoted = beginning.replace(/"[^"]*("|$)/g, "");
  const between = /[\r\n]/.test(unquoted) ? unquoted : beginning;
  const newline = between.includes("\r\n") ? "\r\n" : between.includes("\n") || !between.includes("\r") ? "\n" : "\r";
  return new Papa.Parser({ delimiter, newline });
}

function header(values: readonly string[]): string[] {
  const seen = new Set<string>();
  values.forEach((name, at) => {
    if (!name) throw new UnreadableError(`column ${at + 1} has no name; name every column in the first line`);
    if (seen.has(name)) throw new UnreadableError(`two columns are named "${name}"; rename one of them`);
    seen.add(name);
  });
  return [...values];
}

export function previewTable(text: string): { columns: string[]; rows: string[][]; identifier: string | undefined } {
  const { rows } = new Splitter().next({ text, bytes: 0, isLast: true });
  const [first, ...others] = rows.map((row) => row.values);
  if (!first) throw new UnreadableError("the file is empty; choose one with a header and a record");
  const columns = header(first);
  return { columns, rows: others, identifier: guessIdentifier(columns, others) };
}

export async function* readTable(text: AsyncGenerator<Piece>, { source, identifier }: ReadOptions): AsyncGenerator<Read> {
  const splitter = new Splitter();
  let columns: string[] | undefined;
  for await (const piece of text) {
    const { rows, bad } = splitter.next(piece);
    const facts: Fact[] = [];
    const lines: number[] = [];
    for (const { line, values } of rows) {
      if (!columns) {
        columns = header(values);
        continue;
      }
      if (values.length !== columns.length) {
        bad.push({ line, reason: `has ${values.length} values where the header names ${columns.length}; check for a missing or spare separator` });
        continue;
      }
      const fields: [string, string][] = [];
      let id: string | undefined;
      columns.forEach((column, at) => {
        const value = values[at] ?? "";
        if (column === identifier) id = value;
        else if (value) fields.push([column, value]);
      });
      if (id === "") bad.push({ line, reason: `has no ${identifier}; fill it in, or choose another identifier` });
      else if (!fields.length) bad.push({ line, reason: "says nothing besides its identifier" });
      else {
        facts.push({ fields, source, ...(id === undefined ? {} : { id }) });
        lines.push(line);
      }
    }
    if (facts.length || bad.length || piece.isLast) yield { facts, lines, bad, bytes: piece.bytes };
  }
}
