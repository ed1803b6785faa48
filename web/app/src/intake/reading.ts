/** A file as facts, whatever its format. */

import type { Fact } from "cortexkg";

import { previewLines, readLines } from "./jsonl.ts";
import { previewTable, readTable } from "./table.ts";
import { UnreadableError, pieces } from "./text.ts";

export interface BadLine {
  line: number;
  reason: string;
}

/** What a piece of a file gave. */
export interface Read {
  facts: Fact[];
  /** The line of each fact. */
  lines: number[];
  bad: BadLine[];
  /** Bytes read so far. */
  bytes: number;
}

export type Format = "table" | "jsonl";

/** What is known of a file before it is read. */
export interface Preview {
  format: Format;
  columns: string[];
  rows: string[][];
  identifier: string | undefined;
  /** How many records there are, roughly. */
  records: number;
}

/** Lets a reader name the column of identifiers; `undefined` where there is none. */
export interface ReadOptions {
  source: string;
  identifier: string | undefined;
}

const PREVIEW_BYTES = 200_000;

/** By its name, else by what it begins with. */
export function formatOf(name: string, beginning: string): Format {
  if (/\.(jsonl|ndjson|json)$/i.test(name)) return "jsonl";
  if (/\.(csv|tsv|tab)$/i.test(name)) return "table";
  return beginning.trimStart().startsWith("{") ? "jsonl" : "table";
}

export async function preview(file: Blob, name: string): Promise<Preview> {
  const beginning = file.slice(0, PREVIEW_BYTES);
  let text = "";
  for await (const piece of pieces(beginning)) text += piece.text;
  const isWhole = file.size <= PREVIEW_BYTES;
  const format = formatOf(name, text);
  const lineEnd = text.includes("\n") || !text.includes("\r") ? "\n" : "\r";
  // The last line may be cut.
  if (!isWhole) text = text.slice(0, text.lastIndexOf(lineEnd) + 1);
  if (!text && !isWhole && format === "table") {
    throw new UnreadableError(`the first line is longer than ${PREVIEW_BYTES / 1000} KB, which is no header; give a table with line ends, or JSON Lines`);
  }
  const { columns, rows, identifier } = format === "table" ? previewTable(text) : previewLines(text);
  const lines = text.split(lineEnd).length - (text.endsWith(lineEnd) ? 1 : 0) - (format === "table" ? 1 : 0);
  const records = Math.ceil((Math.max(1, lines) * Math.max(1, file.size)) / Math.max(1, Math.min(file.size, PREVIEW_BYTES)));
  return { format, columns, rows: rows.slice(0, 5), identifier, records: isWhole ? lines : records };
}

/** The facts of a file, piece by piece; the next piece is read when it is asked for. */
export function read(file: Blob, format: Format, options: ReadOptions): AsyncGenerator<Read> {
  return format === "table" ? readTable(pieces(file), options) : readLines(pieces(file), options);
}
