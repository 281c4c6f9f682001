/**
 * Keys over HTTP, values as JSON, for programs on this machine:
 *
 *   GET    /key/NAME   200 and the value, 404
 *   PUT    /key/NAME   204; the body is the value
 *   DELETE /key/NAME   204, 404
 *
 * With a password: `Authorization: Bearer PASSWORD`. Errors are `{"error":CODE,"message":TEXT}`.
 */
import { type Answer, definePlugin, type FrontendContext, KvdbError, type Link } from "kvdb";

export default definePlugin<{ readonly port: number }>({
  name: "http-json",
  apiVersion: 1,
  schema: { properties: { port: { type: "integer", minimum: 1, maximum: 65535, default: 8080 } } },
  frontend({ port }, context) {
    const links = new Set<Link>();
    let server: Bun.Server<undefined> | undefined;
    return {
      async open() {
        const fetch = (request: Request) => answer(request, context, links);
        const error = (thrown: Error) => failure(thrown, context);
        try {
          server = Bun.serve({ hostname: "127.0.0.1", port, fetch, error });
        } catch (cause) {
          throw new KvdbError("UNAVAILABLE", `cannot listen on port ${port}`, { cause });
        }
        context.log.info(`listening on 127.0.0.1:${port}`);
      },
      /** Requests under way are answered while there is time; then everybody goes. */
      async close(deadlineMs) {
        const late = Promise.withResolvers<void>();
        const timer = context.clock.after(deadlineMs, late.resolve);
        await Promise.race([server?.stop(), late.promise]);
        timer.cancel();
        await server?.stop(true);
        await Promise.all([...links].map((link) => link.close()));
      },
    };
  },
});

async function answer(request: Request, context: FrontendContext, links: Set<Link>) {
  const { hostname, pathname } = new URL(request.url);
  // A page of the web whose name leads to 127.0.0.1 can speak to us too, but under that name.
  if (hostname !== "127.0.0.1" && hostname !== "localhost") return refusal("DENIED", "wrong host");
  const [, key] = /^\/key\/([^/]+)$/.exec(pathname) ?? [];
  if (key === undefined) return refusal("ERR", "expected /key/NAME", 404);
  const command = await commandOf(request, decodeURIComponent(key));
  if (command === undefined) return refusal("ERR", `cannot ${request.method} a key`, 405);
  const [, password] = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "") ?? [];
  // One link for each request: the password of one client lets in no other.
  const link = await context.openLink({ address: "http-json" });
  links.add(link);
  try {
    const admitted = password === undefined ? undefined : await link.call(["AUTH", password]);
    return responseOf(admitted?.kind === "error" ? admitted : await link.call(command));
  } finally {
    links.delete(link);
    await link.close();
  }
}

async function commandOf(request: Request, key: string) {
  if (request.method === "GET") return ["VALUE.GET", key];
  if (request.method === "DELETE") return ["DEL", key];
  if (request.method !== "PUT") return undefined;
  return ["VALUE.SET", key, new Uint8Array(await request.arrayBuffer())];
}

function responseOf(answer: Answer): Response {
  if (answer.kind === "error") return refusal(answer.code, answer.text);
  const isMissing = answer.kind === "null" || (answer.kind === "integer" && answer.value === 0);
  if (isMissing) return refusal("ERR", "no such key", 404);
  if (answer.kind !== "bulk") return new Response(null, { status: 204 });
  return new Response(new Uint8Array(answer.bytes), {
    headers: { "content-type": "application/json" },
  });
}

function failure(thrown: Error, { log }: FrontendContext): Response {
  if (thrown instanceof URIError) return refusal("ERR", "wrong escape in the key");
  if (thrown instanceof KvdbError) return refusal(thrown.code, thrown.message);
  log.error("a request failed", { error: thrown.message });
  return refusal("INTERNAL", "see the log");
}

const statuses: Readonly<Record<string, number>> = {
  ...{ NOAUTH: 401, WRONGPASS: 401, DENIED: 403, WRONGTYPE: 409, OOM: 507 },
  ...{ INTERNAL: 500, LOADING: 503, MISCONF: 503, UNAVAILABLE: 503 },
};

function refusal(error: string, message: string, status = statuses[error] ?? 400): Response {
  return Response.json({ error, message }, { status });
}
