// The storage modules in reach of tests, in a worker or in a page.

import * as storage from "/dist/storage/index.js";

Object.assign(globalThis, {
  /** What storages told, in order. */
  events: [],
  /** Opens a storage and remembers it as `current`; what it tells goes to `events`. */
  async opened(options) {
    globalThis.current = await storage.openStorage(options, (event) => globalThis.events.push(event));
    return { kind: globalThis.current.kind, isWriter: globalThis.current.isWriter };
  },
  /** What a call comes to: `ok`, or name and message of its error. */
  async outcome(call) {
    try {
      await call();
      return "ok";
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  },
  /** Bytes of which each says where it is: `size` of them for the number of a piece. */
  piece(number, size) {
    const words = new Uint32Array(Math.ceil(size / 4) + 1);
    let state = (number + 1) * 0x9e3779b9;
    for (let at = 0; at < words.length; at++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + at;
      words[at] = state;
    }
    words[0] = number;
    return new Uint8Array(words.buffer, 0, Math.max(size, 4));
  },
  /** The pieces that are loaded, as `number:bytes`; `broken` where one is not what `piece` makes. */
  async loaded() {
    return (await globalThis.current.load()).map((bytes) => {
      const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      const good = globalThis.piece(number, bytes.length);
      return good.every((byte, at) => byte === bytes[at]) ? `${number}:${bytes.length}` : `broken ${number}:${bytes.length}`;
    });
  },
});
// Last: who waits for it may use the rest.
Object.assign(globalThis, { storage });
