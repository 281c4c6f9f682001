/** CHECK: whether the disk has what the memory has. Who compares, and how, is the kernel's (session.server.check). */
import type { StoreReport } from "../session/server.ts";
import type { Session } from "../session/session.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { CommandError } from "./command-error.ts";
import { oneLine } from "./one-line.ts";
import type { Reply } from "./reply.ts";

function check(session: Session, _args: Arguments, _reply: Reply): void {
  const { server } = session;
  if (server.check.obstacle !== "") throw new CommandError("ERR", server.check.obstacle);
  const later = session.answerLater({ outlivesInput: true });
  server.check.run().then(
    (report) => later.settle((reply) => replyReport(reply, report)),
    (error: Error) => later.settle((reply) => reply.error("ERR", oneLine(error.message))),
  );
}

function replyReport(reply: Reply, report: StoreReport): void {
  const { problems, digest, ...counts } = report;
  const numbers = Object.entries(counts);
  reply.map(numbers.length + 3);
  reply.text("status");
  reply.text(problems.length === 0 ? "ok" : "damaged");
  for (const [name, value] of numbers) {
    reply.text(name);
    reply.integer(value);
  }
  reply.text("digest");
  reply.text(digest);
  reply.text("problems");
  reply.array(problems.length);
  for (const problem of problems) reply.text(problem);
}

export const checkCommands: readonly Command[] = [
  {
    name: "CHECK",
    arity: 1,
    flags: ["admin", "noscript", "no_async_loading", "no_multi"],
    group: "server",
    since: "kvdb 0.1.0",
    summary: "Compares what is on disk with what is in memory; other clients go on.",
    syntax: "",
    run: check,
  },
];
