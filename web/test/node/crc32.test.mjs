import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";

import { crc32 } from "../../dist/storage/crc32.js";

test("the checksum is that of zip", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
});

test("it is the same at every length and offset, in parts too", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, at) => (at * 197 + (at >>> 3)) & 255);
  for (let from = 0; from < 9; from++) {
    for (let to = from; to < 80; to++) {
      const part = bytes.subarray(from, to);
      // Node has one since 22.2.
      const expected = zlib.crc32 ? zlib.crc32(part) : bitwise(part);
      assert.equal(crc32(part), expected);
      assert.equal(crc32(bytes.subarray(to), crc32(part)), crc32(bytes.subarray(from)));
    }
  }
});

function bitwise(bytes) {
  let rest = -1;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}
