/** The two places where an engine can be. */

import type { Engine, Opened } from "./engine.js";
import { CortexError, unpacked } from "./errors.js";
import { compiledModule } from "./module.js";
import type { Answer, Method, Parameters_, Reply, Request, Transport } from "./protocol.js";
import type { StorageEvent } from "./storage/index.js";
import type { OpenOptions } from "./types.js";

/** On this thread. */
export class Inline implements Transport {
  #engine: Engine | undefined;
  readonly #tell: (event: StorageEvent) => void;

  constructor(tell: (event: StorageEvent) => void) {
    this.#tell = tell;
  }

  async open(options: OpenOptions): Promise<Opened> {
    // Only where it is needed here: a page whose engine is in a worker does without it.
    const { Engine } = await import("./engine.js");
    const [engine, opened] = await Engine.open(options, this.#tell);
    this.#engine = engine;
    return opened;
  }

  async call<Name extends Method>(method: Name, ...parameters: Parameters_<Name>): Promise<Answer<Name>> {
    const engine = this.#engine;
    if (!engine) throw closed();
    const run = engine[method] as (...parameters: Parameters_<Name>) => Answer<Name> | Promise<Answer<Name>>;
    const answer = await run.apply(engine, parameters);
    // So that a page can paint, and a signal be given, between two calls.
    await new Promise((resolve) => setTimeout(resolve));
    return answer;
  }

  end(): void {
    this.#engine = undefined;
  }
}

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

/** In a worker of its own. */
export class InWorker implements Transport {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #ended: Error | undefined;

  constructor(tell: (event: StorageEvent) => void) {
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "cortexkg" });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      if ("event" in data) return tell(data.event);
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("error" in data) waiting?.reject(unpacked(data.error));
      else waiting?.resolve(data.value as never);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new CortexError(`the worker of CortexKG failed: ${event.message || "it could not be loaded; is dist/worker.js served beside dist/index.js?"}`));
    };
    this.#worker.onmessageerror = () => this.#fail(new CortexError("the worker of CortexKG sent what cannot be read here"));
  }

  open(options: OpenOptions): Promise<Opened> {
    const opened = this.#ask<Opened>((id) => ({ id, open: options }));
    // Here, while the worker starts.
    void compiledModule(options.simd).then((module) => this.#worker.postMessage({ module } satisfies Request));
    return opened;
  }

  call<Name extends Method>(method: Name, ...parameters: Parameters_<Name>): Promise<Answer<Name>> {
    return this.#ask((id) => ({ id, method, parameters }));
  }

  end(): void {
    this.#fail(closed());
  }

  /** Throws where something cannot be sent, such as a function: nothing of it is on its way then. */
  #ask<Value>(request: (id: number) => Request): Promise<Value> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#last;
    this.#worker.postMessage(request(id));
    return new Promise((resolve, reject) => void this.#waiting.set(id, { resolve, reject }));
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    this.#worker.terminate();
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** What every call comes to after the closing. */
export function closed(): CortexError {
  return new CortexError("this CortexKG is closed; open another");
}
