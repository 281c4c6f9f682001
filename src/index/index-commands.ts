/**
 * INDEX and its subcommands. An index is made and looked after here; who uses it is FIND.
 *
 * Record: a definition is recorded when its index is complete, since until then nobody was told that it is there, and a
 * unique one may still fail. Replay takes over the definition alone; contents are built when all data is loaded.
 */
import type { Arguments } from "../commands/arguments.ts";
import type { Command, ReadPrefix, Run } from "../commands/command.ts";
import { CommandError } from "../commands/command-error.ts";
import { helpSubcommand } from "../commands/container-help.ts";
import { oneLine } from "../commands/one-line.ts";
import type { Reply } from "../commands/reply.ts";
import { KvdbError } from "../errors.ts";
import { MAX_INDEXES } from "../limits.ts";
import type { Session } from "../session/session.ts";
import type { Database } from "../store/database.ts";
import { definitionProblem } from "../store/index-definitions.ts";
import { suggestion } from "../suggest.ts";
import { IndexBuild } from "./building.ts";
import { IndexCheck } from "./checking.ts";
import {
  DefinitionError,
  definitionText,
  definitionWords,
  type IndexDefinition,
  isSameDefinition,
} from "./definition.ts";
import { readIndexArguments } from "./index-arguments.ts";
import { describeIndex } from "./index-description.ts";
import type { Indexes } from "./indexes.ts";
import { answerAfter } from "./later-answer.ts";
import type { LiveIndex } from "./live-index.ts";
import { IndexRebuild } from "./rebuilding.ts";
import { cannotUse, describeUnusable, unusableIndexes, unusableNamed } from "./unusable.ts";

function create(indexes: Indexes): Run {
  return (session, args, reply) => {
    const definition = attempt(() => readIndexArguments(args, 2));
    const { database } = session;
    const { keyspace } = session.server;
    if (session.origin === "replay") {
      keyspace.setDefinition(database, definition.name, definitionText(definition));
      reply.ok();
      return;
    }
    const problem = definitionProblem(definition.name, definitionText(definition));
    if (problem !== "") throw new CommandError("ERR", problem);
    const other = indexes.named(database, definition.name);
    if (other !== undefined) {
      replyExisting(other, definition, reply);
      return;
    }
    const kept = unusableNamed(indexes, database, definition.name);
    if (kept !== undefined) throw cannotUse(kept);
    if (indexes.of(database).length >= MAX_INDEXES) {
      throw new CommandError("ERR", `a database has at most ${MAX_INDEXES} indexes`);
    }
    const index = attempt(() => indexes.make(database, definition));
    let failure: Error | undefined;
    indexes.add(index);
    const build = new IndexBuild({
      indexes: [index],
      requireMemory: () => session.server.requireMemory(0),
      onEnd: (_index, found) => {
        failure = found;
      },
    });
    answerAfter(session, reply, build, () => {
      if (failure !== undefined) {
        if (!index.isDropped) indexes.remove(index);
        return failWith(failure);
      }
      keyspace.setDefinition(index.database, definition.name, definitionText(definition));
      recordCreation(session, index);
      return (answer) => answer.integer(index.entries);
    });
  };
}

/** For permissions: which documents the index is made of. Undefined: the definition is not right, and none is made. */
function documentsOf(args: Arguments, start: number): ReadPrefix | undefined {
  try {
    const { prefix } = readIndexArguments(args, start + 2);
    return { bytes: Buffer.from(prefix), argument: start };
  } catch (error) {
    if (error instanceof CommandError || error instanceof DefinitionError) return undefined;
    throw error;
  }
}

/** Who creates what is there already may do so again: a program at each of its starts. */
function replyExisting(index: LiveIndex, definition: IndexDefinition, reply: Reply): void {
  if (!isSameDefinition(index.definition, definition)) {
    throw new CommandError("ERR", `the index "${index.name}" exists, with another definition`);
  }
  if (index.state === "building") {
    throw new CommandError("ERR", `the index "${index.name}" is being built`);
  }
  reply.integer(index.entries);
}

/** Its database may be another one than that of the session: it is of the configuration, or two were exchanged. */
export function recordCreation(session: Session, index: LiveIndex): void {
  const { effects } = session.server;
  if (index.database !== session.database) {
    effects.command(2);
    effects.text("SELECT");
    effects.integer(index.database.index);
  }
  const words = ["INDEX", "CREATE", ...definitionWords(index.definition)];
  effects.command(words.length);
  for (const word of words) effects.text(word);
}

function drop(indexes: Indexes): Run {
  return (session, args, reply) => {
    const name = args.text(2);
    const { keyspace } = session.server;
    if (session.origin === "replay") {
      keyspace.deleteDefinition(session.database, name);
      reply.ok();
      return;
    }
    const isKept = unusableNamed(indexes, session.database, name) !== undefined;
    if (!isKept) indexes.remove(required(indexes, session, name));
    keyspace.deleteDefinition(session.database, name);
    reply.ok();
  };
}

function list(indexes: Indexes): Run {
  return (session, _args, reply) => {
    const names = namesOf(indexes, session.database);
    reply.array(names.length);
    for (const name of names) reply.text(name);
  };
}

function info(indexes: Indexes): Run {
  return (session, args, reply) => {
    const { database } = session;
    // Counts show what others have just written.
    session.server.keyspace.noteAll();
    const name = args.count > 2 ? args.text(2) : undefined;
    if (name !== undefined && !namesOf(indexes, database).includes(name)) {
      throw unknownIndex(indexes, database, name);
    }
    const isAskedFor = (one: { name: string }) => name === undefined || one.name === name;
    const found = [
      ...shown(indexes, database).filter(isAskedFor).map(describeIndex),
      ...unusableIndexes(indexes, database).filter(isAskedFor).map(describeUnusable),
    ];
    if (name === undefined) reply.array(found.length);
    for (const description of found) replyDescription(reply, description);
  };
}

function replyDescription(reply: Reply, description: ReturnType<typeof describeIndex>): void {
  const lines = Object.entries(description);
  reply.map(lines.length);
  for (const [name, value] of lines) {
    reply.text(name);
    if (typeof value === "number") reply.integer(value);
    else reply.text(value);
  }
}

/** In the order of their names, as after a restart; not those that are made beside others. */
function shown(indexes: Indexes, database: Database): LiveIndex[] {
  indexes.complete();
  const found = indexes.of(database).filter(({ isReplacement }) => !isReplacement);
  return found.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Those that cannot be used too. */
function namesOf(indexes: Indexes, database: Database): string[] {
  const found = [...shown(indexes, database), ...unusableIndexes(indexes, database)];
  return found.map(({ name }) => name).sort();
}

function kinds(indexes: Indexes): Run {
  return (_session, _args, reply) => {
    reply.map(indexes.kinds.size);
    for (const { name, summary } of indexes.kinds.values()) {
      reply.text(name);
      reply.text(summary);
    }
  };
}

/** The old one answers until the new one is complete. */
function rebuild(indexes: Indexes): Run {
  return (session, args, reply) => {
    const old = required(indexes, session, args.text(2));
    if (old.state === "building" || indexes.replacementOf(old) !== undefined) {
      throw new CommandError("ERR", `the index "${old.name}" is being built`);
    }
    const work = new IndexRebuild(indexes, old, {
      requireMemory: () => session.server.requireMemory(0),
    });
    answerAfter(session, reply, work, () =>
      work.failure === undefined
        ? (answer) => answer.integer(work.index.entries)
        : failWith(work.failure),
    );
  };
}

function check(indexes: Indexes): Run {
  return (session, args, reply) => {
    const index = required(indexes, session, args.text(2));
    const work = new IndexCheck(indexes, index);
    answerAfter(session, reply, work, () => (answer) => {
      const { entries, documents, problems } = work;
      answer.map(4);
      answer.text("status");
      answer.text(problems.length === 0 ? "ok" : "damaged");
      answer.text("documents");
      answer.integer(documents);
      answer.text("entries");
      answer.integer(entries);
      answer.text("problems");
      answer.array(problems.length);
      for (const problem of problems) answer.text(problem);
    });
  };
}

function required(indexes: Indexes, { database }: Session, name: string): LiveIndex {
  const index = indexes.named(database, name);
  if (index !== undefined) return index;
  const kept = unusableNamed(indexes, database, name);
  throw kept === undefined ? unknownIndex(indexes, database, name) : cannotUse(kept);
}

function unknownIndex(indexes: Indexes, database: Database, name: string): CommandError {
  const near = suggestion(name, namesOf(indexes, database));
  return new CommandError("ERR", `no index "${name}"${near}`);
}

/** What is wrong with a definition, a path or a filter is the reply. */
function attempt<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof DefinitionError || error instanceof KvdbError) {
      throw new CommandError("ERR", error.message);
    }
    throw error;
  }
}

function failWith(failure: Error): (reply: Reply) => void {
  const code = failure instanceof CommandError ? failure.code : "ERR";
  return () => {
    throw new CommandError(code, oneLine(failure.message));
  };
}

export function indexCommands(indexes: Indexes): readonly Command[] {
  return [
    {
      name: "INDEX",
      arity: -2,
      flags: [],
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Makes indexes of documents and looks after them.",
      syntax: "",
    },
    {
      name: "INDEX|CREATE",
      arity: -7,
      flags: ["write", "denyoom"],
      mayAnswerLater: true,
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Makes an index and answers, when it is complete, how many entries it has.",
      syntax:
        "name USING kind FIELD path [PREFIX prefix] [UNIQUE] [SPARSE] [WHERE filter] [option value [option value ...]]",
      readsUnder: documentsOf,
      run: create(indexes),
    },
    {
      name: "INDEX|DROP",
      arity: 3,
      flags: ["write"],
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Removes an index; the documents stay.",
      syntax: "name",
      run: drop(indexes),
    },
    {
      name: "INDEX|LIST",
      arity: 2,
      flags: ["readonly"],
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Returns the names of the indexes of the database.",
      syntax: "",
      run: list(indexes),
    },
    {
      name: "INDEX|INFO",
      arity: -2,
      flags: ["readonly"],
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Returns definition, state and size of an index, or of all.",
      syntax: "[name]",
      run: info(indexes),
    },
    {
      name: "INDEX|CHECK",
      arity: 3,
      flags: ["readonly"],
      mayAnswerLater: true,
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Compares an index with all documents; other clients go on.",
      syntax: "name",
      run: check(indexes),
    },
    {
      name: "INDEX|REBUILD",
      arity: 3,
      flags: ["readonly"],
      mayAnswerLater: true,
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Builds an index anew; the old one answers meanwhile.",
      syntax: "name",
      run: rebuild(indexes),
    },
    {
      name: "INDEX|KINDS",
      arity: 2,
      flags: ["readonly"],
      group: "index",
      since: "kvdb 0.1.0",
      summary: "Returns the kinds of indexes that there are.",
      syntax: "",
      run: kinds(indexes),
    },
    helpSubcommand("INDEX", "index", "kvdb 0.1.0"),
  ];
}
