/**
 * Where backups lie, as plain data that a worker can be sent, and the storage that is there. Read once
 * from `to` of the configuration; opening touches nothing yet.
 */
import { resolve } from "node:path";
import { KvdbError } from "../errors.ts";
import type { Files } from "../platform/files.ts";
import { FolderStorage } from "./folder-storage.ts";
import type { S3ClientParts } from "./s3-client.ts";
import { isS3Url, readS3Place, type S3Options, type S3Place } from "./s3-place.ts";
import { S3Storage } from "./s3-storage.ts";
import { type BackupStorage, checkName } from "./storage.ts";

/** On S3 it holds secrets: to be sent to a worker, never to be shown. */
export type BackupPlace =
  | {
      readonly kind: "folder";
      /** Absolute. */
      readonly path: string;
    }
  | { readonly kind: "s3"; readonly s3: S3Place };

export interface PlaceOptions {
  /** What a relative folder is relative to. */
  readonly folder: string;
  readonly s3?: S3Options;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface PlaceParts extends S3ClientParts {
  readonly files: Files;
}

/** `to` is a folder or `s3://bucket/prefix`. Throws CONFIG. */
export function readPlace(to: string, { folder, s3, environment }: PlaceOptions): BackupPlace {
  if (isS3Url(to)) return { kind: "s3", s3: readS3Place(to, s3 ?? {}, environment) };
  // Else a folder `ftp:` would be made, and backups be where nobody looks for them.
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(to)) {
    throw new KvdbError(
      "CONFIG",
      `backups to ${JSON.stringify(to)}: a folder or s3://bucket/prefix`,
    );
  }
  if (to === "") throw new KvdbError("CONFIG", "backups: the folder has no name");
  return { kind: "folder", path: resolve(folder, to) };
}

export function openPlace(place: BackupPlace, parts: PlaceParts): BackupStorage {
  if (place.kind === "folder") return new FolderStorage(parts.files, place.path);
  return new S3Storage(place.s3, parts);
}

/** Where a file of it lies, for people. */
export function pathIn({ title }: BackupStorage, name: string): string {
  return `${title.replace(/\/$/, "")}/${name}`;
}

/** A path or URL of one backup, as the place that it lies in and its name there: undoes `pathIn`. */
export function splitBackupPath(path: string): { readonly to: string; readonly name: string } {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  checkName(name);
  if (slash < 0) return { to: ".", name };
  return { to: slash === 0 ? "/" : path.slice(0, slash), name };
}
