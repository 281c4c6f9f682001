/**
 * The side that follows another server, put together of what a kernel has: engine, checkpoints, the data folder. Which server
 * that is comes from the configuration, and from REPLICAOF; CONFIG REWRITE knows of the latter.
 */
import type { ClientTls } from "../client/socket-link.ts";
import { KvdbError } from "../errors.ts";
import { databaseBeyond } from "../journal/replay.ts";
import type { Random } from "../platform/random.ts";
import type { WorkFolder } from "../platform/scratch-folder.ts";
import { CopyFile } from "../replication/copy-file.ts";
import { FollowingSide } from "../replication/following.ts";
import type { CopyPlace, FollowingHost } from "../replication/following-parts.ts";
import { type PrimaryAddress, parsePrimary, primaryText } from "../replication/primary-address.ts";
import { connectPrimary } from "../replication/primary-socket.ts";
import type { ServerParameter } from "../session/server.ts";
import type { Config } from "./config.ts";
import { formatIssue } from "./config-issues.ts";
import type { Host } from "./context.ts";
import type { DataReplacements } from "./data-replacement.ts";
import { pathOf, pointerOf } from "./json-pointer.ts";

/** Redis's, where nobody has the parameter. */
const DEFAULT_TIMEOUT_SECONDS = 60;

const ONLY_SERVERS_FOLLOW =
  "nobody is followed from here: start a server with `kvdb serve --replicaof`, or with replication.of";

export interface FollowingParts {
  readonly host: Host;
  readonly replacements: Pick<DataReplacements, "replace" | "lastingObstacle" | "isInDoubt">;
  readonly random: Random;
  /** For a copy that comes in; undefined: there is no place for one. */
  readonly openWorkFolder: (() => Promise<WorkFolder>) | undefined;
  /** It stays long enough to follow anybody. */
  readonly follows: boolean;
}

/** What the taking of a copy needs of it. */
type CopyTakingParts = Pick<FollowingParts, "replacements"> & {
  readonly host: Pick<Host, "engine" | "config">;
};

export function createFollowing(parts: FollowingParts): FollowingSide {
  const { host, random } = parts;
  const { engine, clock } = host;
  const { settings } = engine.following;
  const obstacle = obstacleTo(parts);
  if (primaryOf(host) !== null && parts.follows && obstacle !== "") throw problem(host, obstacle);
  const { user, password } = host.config.replication;
  Object.assign(settings, { user, password, tlsFiles: () => tlsFiles(engine) });
  const log = host.log.child("replication");
  const side: FollowingSide = new FollowingSide({
    ...{ clock, random, log, settings, connect: connectPrimary, stream: engine.stream },
    host: followingHost(parts, () => side.isStopped),
  });
  const replicaof: ServerParameter = {
    name: "replicaof",
    get: () => (side.address === null ? "" : primaryText(side.address)),
  };
  engine.addParameter(replicaof);
  engine.addParameter({ ...replicaof, name: "slaveof", aliasOf: "replicaof" });
  side.onAddress = () => engine.configuration.changed([replicaof]);
  engine.replication.following = side;
  return side;
}

/** Whom the configuration says to follow. Throws a KvdbError CONFIG. */
export function primaryOf(host: Host): PrimaryAddress | null {
  const address = parsePrimary(host.config.replication.of);
  if (typeof address !== "string") return address;
  throw problem(host, address);
}

function problem({ placeOf }: Host, message: string): KvdbError {
  const pointer = pointerOf(["replication", "of"]);
  const issue = { place: placeOf(pointer), path: pathOf(pointer), message };
  return new KvdbError("CONFIG", formatIssue(issue));
}

/** What the frontend that serves TLS was given, whoever that is. */
function tlsFiles({ parameters }: Host["engine"]): Omit<ClientTls, "rejectUnauthorized"> {
  const path = (name: string) => parameters.get(name)?.get() ?? "";
  const [caFile, certFile, keyFile, passphrase] = TLS_NAMES.map(path) as FourTexts;
  return {
    ...(caFile === "" ? {} : { caFile }),
    ...(certFile === "" || keyFile === "" ? {} : { certFile, keyFile }),
    ...(passphrase === "" ? {} : { passphrase }),
  };
}

type FourTexts = [string, string, string, string];

const TLS_NAMES = ["tls-ca-cert-file", "tls-cert-file", "tls-key-file", "tls-key-file-pass"];

function followingHost(parts: FollowingParts, isStopped: () => boolean): FollowingHost {
  const { host } = parts;
  const { engine } = host;
  const { duties } = engine.following;
  const number = (name: string) => Number(engine.parameters.get(name)?.get() ?? "0");
  return {
    obstacle: obstacleTo(parts),
    beginFollowing: () => duties.begin(),
    endFollowing: () => duties.end(),
    linkChanged: (isUp) => duties.linkChanged(isUp),
    openCopy: () => openCopy(parts),
    takeCopy: (path, place) => takeCopy(path, place, parts, isStopped),
    createApplication: (events, client) => engine.following.createApplication(events, client),
    /** Where others can follow us: those that speak TLS with their primary do so with us as well. */
    get listeningPort() {
      const [plain, tls] = [number("port"), number("tls-port")];
      return engine.following.settings.usesTls ? tls || plain : plain || tls;
    },
    get timeoutSeconds() {
      return number("repl-timeout") || DEFAULT_TIMEOUT_SECONDS;
    },
    get durableRevision() {
      const { isRecording, durableRevision, lastRevision } = engine.disk;
      // Where nothing is recorded nothing more is promised than that it is there.
      return isRecording ? durableRevision : lastRevision;
    },
    get syncedRevision() {
      const { isRecording, syncedRevision } = engine.disk;
      return isRecording ? syncedRevision : null;
    },
    get lastRevision() {
      return engine.disk.lastRevision;
    },
    onDurable: (listener) => engine.disk.onDurable(listener),
  };
}

function obstacleTo({ follows, replacements: { lastingObstacle } }: FollowingParts): string {
  if (!follows) return ONLY_SERVERS_FOLLOW;
  return (
    lastingObstacle && `no copy of a primary can take the place of the data: ${lastingObstacle}`
  );
}

/** Beside what is served, in whose place it comes when it is whole. Rejects with data and stream as they were. */
export async function takeCopy(
  path: string,
  place: CopyPlace,
  { host, replacements }: CopyTakingParts,
  isStopped: () => boolean,
): Promise<void> {
  const { stream, disk } = host.engine;
  const { id, offset } = stream;
  const before = { id, offset, database: stream.database };
  let isAdopted = false;
  try {
    await replacements.replace({
      reason: "a full copy of a primary",
      source: { kind: "file", path },
      revision: 0,
      proceed: () => {
        if (isStopped()) throw new KvdbError("UNAVAILABLE", "kvdb stops");
      },
      beforeItCounts: async (revision, { aux }) => {
        const database = databaseOf(aux, host.config);
        isAdopted = true;
        await stream.adopt({ ...place, database, revision, isPending: true });
      },
    });
  } catch (error) {
    // The data is what it was: the stream stands where that one does. Where nobody knows that, none of the two places is said.
    const isKnown = !replacements.isInDoubt;
    if (isAdopted && isKnown) await stream.adopt({ ...before, revision: disk.lastRevision });
    throw error;
  }
  stream.confirm();
  host.engine.following.duties.dataReplaced();
}

/**
 * Selected in the stream behind the copy. A primary that says nothing selects one before its first command. Throws when there is no
 * such one here: what follows would get into another one.
 */
function databaseOf(aux: ReadonlyMap<string, string>, { databases }: Config): number {
  const database = Number(aux.get("repl-stream-db") ?? "0");
  if (!Number.isInteger(database) || database < 0) return 0;
  if (database < databases) return database;
  throw databaseBeyond(database, databases);
}

async function openCopy({ host, openWorkFolder }: FollowingParts): Promise<CopyFile> {
  if (openWorkFolder === undefined) throw new KvdbError("UNAVAILABLE", "there is no data folder");
  return CopyFile.open(host.files, await openWorkFolder());
}
