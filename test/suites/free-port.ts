/** A port of 127.0.0.1 that was free a moment ago: the system gives it out, we give it back and use it. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
