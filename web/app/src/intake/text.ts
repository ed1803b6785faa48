/** The text of a file, piece by piece, whatever its size. */

export interface Piece {
  text: string;
  /** Bytes read so far. */
  bytes: number;
  isLast: boolean;
}

export class UnreadableError extends Error {
  override name = "UnreadableError";
}

/** UTF-8, with or without a mark at its beginning; pieces end anywhere, but never within a character. */
export async function* pieces(file: Blob): AsyncGenerator<Piece> {
  const reader = file.stream().getReader();
  const decoder = new TextDecoder("utf-8");
  let bytes = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      if (bytes === 0 && isUtf16(value)) throw new UnreadableError("the file is UTF-16; save it as UTF-8 and drop it again");
      bytes += value.byteLength;
      yield { text: decoder.decode(value, { stream: true }), bytes, isLast: false };
    }
    yield { text: decoder.decode(), bytes, isLast: true };
  } finally {
    await reader.cancel().catch(() => {});
  }
}

const isUtf16 = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
