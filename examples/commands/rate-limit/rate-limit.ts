/**
 * A limit on how often something may happen: RATE.LIMIT counts an attempt under a key, for so many
 * milliseconds from the first one.
 *
 *   RATE.LIMIT login:ada 3 60000   →   [1, 2, 60000]   allowed, attempts left, milliseconds to go
 */
import { type Arguments, CommandError, definePlugin, integerOf } from "kvdb";

export default definePlugin({
  name: "rate-limit",
  apiVersion: 1,
  commands: () => [
    {
      name: "RATE.LIMIT",
      arity: 4,
      flags: ["write", "denyoom", "fast"],
      keys: [1, 1, 1],
      group: "plugin",
      since: "rate-limit 1.0.0",
      summary:
        "Counts an attempt; returns whether it is allowed, how many are left and for how long.",
      syntax: "key attempts milliseconds",
      run(session, args, reply) {
        // What was changed stays changed when a command fails: so first everything is checked.
        const most = wholeNumber(args, 2);
        const windowMs = wholeNumber(args, 3);
        const key = args.bytes(1);
        const count = integerOf(session.call("INCR", key));
        if (count === 1) session.call("PEXPIRE", key, windowMs);
        reply.array(3);
        reply.integer(count <= most ? 1 : 0);
        reply.integer(Math.max(0, most - count));
        reply.answer(session.call("PTTL", key));
      },
    },
  ],
});

/** The longest window is some 31 years. */
const MOST = 1e12;

function wholeNumber(args: Arguments, index: number): number {
  const value = args.integer(index);
  if (value >= 1 && value <= MOST) return value;
  throw new CommandError("ERR", `argument ${index} must be a whole number from 1 to ${MOST}`);
}
