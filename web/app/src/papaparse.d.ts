/** The two parts of papaparse that are used here. */
declare module "papaparse" {
  interface Problem {
    type: string;
    code: string;
    message: string;
    row?: number;
  }
  interface Parsed {
    data: string[][];
    errors: Problem[];
    meta: { delimiter: string; linebreak: string; cursor: number };
  }
  /** Rows of a piece of text; the last one, which may be incomplete, can be left for the next piece. */
  class Parser {
    constructor(config: { delimiter: string; newline: string });
    parse(input: string, baseIndex: number, ignoreLastRow: boolean): Parsed;
  }
  const Papa: { Parser: typeof Parser; parse(input: string, config: { preview: number }): Parsed };
  export default Papa;
}
