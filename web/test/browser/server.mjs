// A small server of files for tests: what any host of static files does, and no headers that such a host may not send (COOP, COEP).

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the package. */
export const WEB = fileURLToPath(new URL("../..", import.meta.url));

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".csv": "text/csv; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/**
 * @typedef {{body: string | Uint8Array, type: string, headers?: Record<string, string>}} Answer
 * @typedef {Record<string, (url: URL) => Answer>} Extra
 */

/**
 * Serves a folder, on a port that is free. `extra` answers paths of its own: `{"/x": (url) => ({body, type, headers})}`.
 *
 * @param {string} root
 * @param {Extra} extra
 */
export async function serve(root = WEB, extra = {}) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://here");
    const path = decodeURIComponent(url.pathname);
    const made = extra[path]?.(url);
    // Pages in sandboxes have an origin of their own.
    const headers = { "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store" };
    if (made) {
      response.writeHead(200, { ...headers, "Content-Type": made.type, ...made.headers }).end(made.body);
      return;
    }
    let file = join(root, normalize(`/${path}`));
    try {
      if ((await stat(file)).isDirectory()) file = join(file, "index.html");
      await stat(file);
    } catch {
      response.writeHead(404, { ...headers, "Content-Type": "text/plain" }).end(`no ${path}`);
      return;
    }
    response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const port = address && typeof address === "object" ? address.port : 0;
  return {
    origin: `http://localhost:${port}`,
    /** The same by a name that browsers do not trust: without Web Locks and files of the origin. */
    insecure: `http://insecure.test:${port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
