/**
 * The listening side of the http frontend. Bun's server ends connections that say nothing, say it too slowly or do not
 * read (idleTimeout, and 12 s for a request to be whole); how many answers are under way is bounded here.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { type Frontend, type FrontendContext, KvdbError, type Link } from "kvdb";
import { healthOf } from "./health.ts";
import type { HttpSettings } from "./options.ts";

/** An answer of some 100 KiB at most each; whoever scrapes asks for one at a time. */
const MOST_REQUESTS = 32;
/** Nobody has anything to send. */
const MOST_BODY_BYTES = 1024;
/** Seconds. Scrapers come every few seconds, and open a connection again. */
const IDLE_TIMEOUT_S = 5;

export class HttpServer implements Frontend {
  readonly #settings: HttpSettings;
  readonly #context: FrontendContext;
  #server: Bun.Server<undefined> | undefined;
  #link: Link | undefined;

  constructor(settings: HttpSettings, context: FrontendContext) {
    this.#settings = settings;
    this.#context = context;
  }

  async open(): Promise<void> {
    const { host, port } = this.#settings;
    this.#link = await this.#context.openLink({ address: "http", trusted: true });
    try {
      this.#server = Bun.serve({
        ...{
          hostname: host,
          port,
          idleTimeout: IDLE_TIMEOUT_S,
          maxRequestBodySize: MOST_BODY_BYTES,
        },
        fetch: (request, server) => this.#answer(request, server.pendingRequests),
        error: (thrown) => this.#failure(thrown),
      });
    } catch (cause) {
      const { code = String(cause) } = cause as { code?: string };
      throw new KvdbError("UNAVAILABLE", `cannot listen on ${host}:${port}: ${code}`, { cause });
    }
    this.#context.log.info(`listening on ${host}:${port}`);
    if (this.#settings.token === undefined && !isLoopback(host)) {
      this.#context.log.warn(
        "anybody who reaches it may read /metrics: the option `token` asks for one",
      );
    }
  }

  /** Answers under way are given while there is time. */
  async close(deadlineMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#context.clock.after(deadlineMs, late.resolve);
    await Promise.race([this.#server?.stop(), late.promise]);
    timer.cancel();
    await this.#server?.stop(true);
    this.#server = undefined;
    await this.#link?.close();
    this.#link = undefined;
  }

  async #answer(request: Request, pending: number): Promise<Response> {
    const pathname = pathOf(request);
    if (pathname !== "/metrics" && pathname !== "/health") return plain(404, "/metrics or /health");
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "only GET", { allow: "GET, HEAD" });
    }
    if (pending > MOST_REQUESTS) return plain(503, "too many requests at a time");
    if (pathname === "/health") return this.#health();
    if (!isAllowed(request, this.#settings.token)) {
      return plain(401, "the token is missing or wrong", { "www-authenticate": "Bearer" });
    }
    return this.#metrics();
  }

  async #health(): Promise<Response> {
    const { ok, ...body } = healthOf(
      await this.#ask("INFO", "persistence"),
      this.#context.diskFailure,
    );
    return Response.json(body, {
      status: ok ? 200 : 503,
      headers: { "cache-control": "no-store" },
    });
  }

  async #metrics(): Promise<Response> {
    // Only here: it takes a while to be imported, and most kvdb have no http.
    const { METRICS_TYPE, metricsText } = await import("./metrics.ts");
    const info = await this.#ask("INFO", "everything");
    if (info.kind === "error") return plain(500, `INFO: ${info.code} ${info.text}`);
    const text = await metricsText(info, await this.#ask("LATENCY", "HISTOGRAM"));
    return new Response(text, { headers: { "content-type": METRICS_TYPE } });
  }

  #ask(...words: readonly string[]) {
    if (this.#link === undefined) throw new KvdbError("UNAVAILABLE", "kvdb is stopping");
    return this.#link.call(words);
  }

  #failure(thrown: Error): Response {
    if (thrown instanceof KvdbError) return plain(503, thrown.message);
    this.#context.log.error("a request failed", { error: thrown.stack ?? thrown.message });
    return plain(500, "see the log");
  }
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, { status, headers });
}

/**
 * Not by `new URL`: a request of HTTP 1.0 names no host, and those of anybody may name one that is none; then Bun's URL is
 * none either.
 */
function pathOf({ url }: Request): string | undefined {
  return /^(?:https?:\/\/[^/?#]*)?(\/[^?#]*)/i.exec(url)?.[1];
}

/** In a time that says nothing of how much of it is right. */
function isAllowed(request: Request, token: string | undefined): boolean {
  if (token === undefined) return true;
  const [, given = ""] = /^Bearer (.+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
