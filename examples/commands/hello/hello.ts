/**
 * A command that reads and writes: HELLO.GREET greets by name and counts, under the name as a key,
 * how often it did.
 */
import { CommandError, definePlugin, integerOf } from "kvdb";

interface Options {
  readonly greeting: string;
}

export default definePlugin<Options>({
  name: "hello",
  apiVersion: 1,
  schema: { properties: { greeting: { type: "string", minLength: 1, default: "Hello" } } },
  commands: ({ greeting }) => [
    {
      name: "HELLO.GREET",
      arity: 2, // the name of the command, and one argument
      flags: ["write", "denyoom", "fast"],
      keys: [1, 1, 1],
      group: "plugin",
      since: "hello 1.0.0",
      summary: "Greets by name, and counts how often.",
      syntax: "key",
      run(session, args, reply) {
        if (args.size(1) === 0) throw new CommandError("ERR", "a name has at least one letter");
        const count = integerOf(session.call("INCR", args.bytes(1)));
        reply.text(`${greeting}, ${args.text(1)}! (${count})`);
      },
    },
  ],
});
