/** How long the last calls took. */

const LAST = 1_000;

export class Durations {
  readonly #last = new Float64Array(LAST);
  #count = 0;

  push(milliseconds: number): void {
    // A clock that was put back measures nothing.
    this.#last[this.#count++ % LAST] = Math.max(0, milliseconds);
  }

  /** Mean, and what 95 and 99 of 100 stay below; 0 without any. */
  summary(): { mean: number; p95: number; p99: number } {
    const last = this.#last.slice(0, Math.min(this.#count, LAST)).sort();
    const at = (share: number) => last[Math.min(last.length - 1, Math.floor(last.length * share))] ?? 0;
    const mean = last.length ? last.reduce((sum, one) => sum + one, 0) / last.length : 0;
    return { mean, p95: at(0.95), p99: at(0.99) };
  }
}
