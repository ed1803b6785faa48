/** Which column names a record. It is never evidence, so guessing wrong would cost what the column says. */

const NAMES = ["record_id", "id", "rec_id", "recid", "recordid", "_id", "uuid", "guid", "identifier", "key"];

/** One word with a digit in it, and no date: `r000001`, `4f2a-11`, `rec-17-org`. */
const LOOKS_LIKE_ONE = /^(?!\d{4}-\d{2}-\d{2}$)[\p{L}\p{N}_.:/#-]{0,63}\d[\p{L}\p{N}_.:/#-]{0,63}$/u;

/** The column of identifiers: by its name, or the first if its values look like some. */
export function guessIdentifier(columns: readonly string[], rows: readonly (readonly string[])[]): string | undefined {
  const folded = columns.map((column) => column.trim().toLowerCase());
  for (const name of NAMES) {
    const at = folded.indexOf(name);
    if (at >= 0) return columns[at];
  }
  const first = rows.map((row) => row[0] ?? "");
  const isUnique = first.length > 1 && new Set(first).size === first.length;
  return isUnique && first.every((value) => LOOKS_LIKE_ONE.test(value)) ? columns[0] : undefined;
}
