/**
 * What the files of this log are, for who keeps them while it is written (kvdb/persistence): segments, checkpoints, and the
 * manifest that names them.
 */
import type { Files } from "kvdb";
import type { ChainForm, FileChain, LiveLog } from "kvdb/persistence";
import { checkpointName } from "./checkpoint.ts";
import {
  type CheckpointEntry,
  type LiveFiles,
  manifestText,
  readManifest,
  type SegmentEntry,
  segmentFileName,
  writeManifest,
} from "./manifest.ts";
import { packedName } from "./packed-segment.ts";
import { type ActiveSegment, createIdentity, createSegment } from "./segment.ts";

export type WalChain = FileChain<SegmentEntry, CheckpointEntry, ActiveSegment>;
export type WalChainForm = ChainForm<SegmentEntry, CheckpointEntry, ActiveSegment>;

export function chainForm(files: Files, folder: string): WalChainForm {
  return {
    numberOf: ({ number }) => number,
    nameOf: segmentFileName,
    packedNameOf: packedName,
    bytesOf: ({ bytes = 0, packed }) => packed?.bytes ?? bytes,
    firstRevisionOf: ({ firstRevision }) => firstRevision,
    entryOf: activeEntry,
    sealedEntryOf: (active, bytes) => ({ ...activeEntry(active), bytes }),
    create: (number, first) => createSegment(files, folder, createIdentity(number, first)),
    checkpointNameOf: ({ number }) => checkpointName(number),
    coveredRevision: (checkpoint) => checkpoint?.revision ?? 0,
    readManifest: async () => {
      const manifest = await readManifest(files, folder);
      if (manifest.kind !== "intact") return undefined;
      return { live: liveLogOf(manifest.live), text: manifestText(manifest.live) };
    },
    writeManifest: (live) => writeManifest(files, folder, liveFilesOf(live)),
    manifestText: (live) => manifestText(liveFilesOf(live)),
  };
}

/** What the manifest says of a segment while it is written. */
export function activeEntry(active: ActiveSegment): SegmentEntry {
  const { number, salt, firstRevision, damaged } = active;
  return { number, salt, firstRevision, damaged };
}

function liveLogOf(live: LiveFiles): LiveLog<SegmentEntry, CheckpointEntry> {
  const { checkpoint, segments, kept = [], followed = false } = live;
  return { checkpoint, files: segments, kept, isFollowed: followed };
}

function liveFilesOf(live: LiveLog<SegmentEntry, CheckpointEntry>): LiveFiles {
  const { checkpoint, files, kept, isFollowed } = live;
  return { ...(checkpoint && { checkpoint }), segments: files, kept, followed: isFollowed };
}
