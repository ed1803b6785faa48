/** A value that tells when it changes, and news without a value of its own. */

/** News: whoever listens hears it, once each. */
export class Topic<T> {
  readonly #listeners = new Set<(news: T) => void>();

  tell(news: T): void {
    for (const listener of [...this.#listeners]) listener(news);
  }

  /** Returns what ends the listening. */
  listen(listener: (news: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A value; listeners hear each new one. */
export class Signal<T> {
  #value: T;
  readonly #topic = new Topic<T>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#topic.tell(value);
  }

  listen(listener: (value: T) => void): () => void {
    return this.#topic.listen(listener);
  }

  /** Hears the value that is there as well. */
  follow(listener: (value: T) => void): () => void {
    listener(this.#value);
    return this.#topic.listen(listener);
  }
}
