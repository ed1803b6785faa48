/** JSON Lines: one object per line; a fact as the engine takes it, or a flat record. */

import type { Fact, FieldValue } from "cortexkg";

import { guessIdentifier } from "./identifier.ts";
import type { BadLine, Read, ReadOptions } from "./reading.ts";
import type { Piece } from "./text.ts";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

const DEPTH_MAX = 16;
/** More than any fact may have, by far. */
const LINE_CHARS_MAX = 1 << 24;
/** Stands for a line that is longer. */
const TOO_LONG = "\0";

class BadLineError extends Error {}

const isObject = (value: Json): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether an object is a fact already. A record may have a column named `text` beside others. */
function isFact(value: JsonObject): boolean {
  const others = Object.keys(value).filter((name) => !ENVELOPE.has(name));
  if (isObject(value["fields"] ?? null) || Array.isArray(value["fields"])) return others.length === 1;
  if ("text" in value) return others.length === 1;
  return "subject" in value && "predicate" in value && "object" in value && others.length === 3;
}
const ENVELOPE = new Set(["id", "source", "time", "confidence", "embedding"]);

/** Nested objects as names joined by dots; lists of plain values stay lists. */
function flatten(value: JsonObject, before = "", depth = 0): [string, FieldValue][] {
  if (depth > DEPTH_MAX) throw new BadLineError(`is nested deeper than ${DEPTH_MAX}; flatten it`);
  return Object.entries(value).flatMap(([name, member]): [string, FieldValue][] => {
    const path = before + name;
    if (isObject(member)) return flatten(member, `${path}.`, depth + 1);
    if (!Array.isArray(member)) return [[path, member]];
    if (member.some((item) => typeof item === "object" && item !== null)) {
      throw new BadLineError(`field "${path}" is a list of objects; give plain values`);
    }
    return [[path, member as FieldValue]];
  });
}

function toFact(text: string, { source, identifier }: ReadOptions): Fact {
  if (text === TOO_LONG) throw new BadLineError("is longer than 16 million characters; give one object per line");
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    throw new BadLineError(`is no JSON: ${error instanceof Error ? error.message : "it cannot be read"}`);
  }
  if (!isObject(value)) throw new BadLineError("is no object; each line is one, in braces");
  // The engine checks the rest, and says what is wrong with it.
  if (isFact(value)) return { source, ...value } as unknown as Fact;
  const fields = flatten(value);
  const at = fields.findIndex(([name]) => name === identifier);
  if (at < 0) {
    if (identifier !== undefined) throw new BadLineError(`has no ${identifier}; fill it in, or choose another identifier`);
    return { fields, source };
  }
  const [[, id]] = fields.splice(at, 1) as [[string, FieldValue]];
  if (!fields.length) throw new BadLineError("says nothing besides its identifier");
  return { fields, source, id: named(id, identifier ?? "") };
}

/** The text of an identifier. What is none must not become one: records of one identifier are taken for the same. */
function named(id: FieldValue, identifier: string): string {
  if (id === null || id === undefined || id === "") throw new BadLineError(`has no ${identifier}; fill it in, or choose another identifier`);
  if (Array.isArray(id)) throw new BadLineError(`has a list as ${identifier}; give one value, or choose another identifier`);
  if (Number.isInteger(id) && !Number.isSafeInteger(id)) {
    throw new BadLineError(`has a number as ${identifier} that loses its last digits; write it in quotes`);
  }
  return String(id);
}

export function previewLines(text: string): { columns: string[]; rows: string[][]; identifier: string | undefined } {
  const names = new Map<string, number>();
  const records: Map<string, string>[] = [];
  for (const line of text.split("\n").slice(0, 200)) {
    try {
      const value = JSON.parse(line) as Json;
      if (!isObject(value)) continue;
      const said = flatten(isFact(value) && isObject(value["fields"] ?? null) ? (value["fields"] as JsonObject) : value);
      const record = new Map(said.map(([name, one]) => [name, Array.isArray(one) ? one.join("; ") : String(one ?? "")]));
      for (const name of record.keys()) names.set(name, names.size);
      // Facts bring their identifiers themselves.
      if (!isFact(value)) records.push(record);
    } catch {
      // It is counted when the file is read.
    }
  }
  const columns = [...names.keys()];
  const rows = records.map((record) => columns.map((name) => record.get(name) ?? ""));
  return { columns, rows, identifier: records.length ? guessIdentifier(columns, rows) : undefined };
}

export async function* readLines(text: AsyncGenerator<Piece>, options: ReadOptions): AsyncGenerator<Read> {
  // Parts of the line that has not ended: put together once, or a long one would be copied with every piece.
  let rest: string[] = [];
  let restChars = 0;
  let number = 0;
  for await (const piece of text) {
    const lines = piece.text.split("\n");
    if (lines.length > 1 || piece.isLast) {
      // What is too long is not even put together.
      lines[0] = restChars > LINE_CHARS_MAX ? TOO_LONG : rest.join("") + (lines[0] ?? "");
      rest = [];
      restChars = 0;
    }
    if (!piece.isLast) {
      const part = lines.pop() ?? "";
      restChars += part.length;
      if (restChars > LINE_CHARS_MAX) rest = [];
      else rest.push(part);
    }
    const facts: Fact[] = [];
    const numbers: number[] = [];
    const bad: BadLine[] = [];
    for (const line of lines) {
      number++;
      if (!line.trim()) continue;
      try {
        facts.push(toFact(line, options));
        numbers.push(number);
      } catch (error) {
        if (!(error instanceof BadLineError)) throw error;
        bad.push({ line: number, reason: error.message });
      }
    }
    if (facts.length || bad.length || piece.isLast) yield { facts, lines: numbers, bad, bytes: piece.bytes };
  }
}
