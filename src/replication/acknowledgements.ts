/**
 * What a primary is told of how far this server has come: up to which offset of the stream it has what is as durable as
 * promised, and what is on disk whatever is promised.
 */
import { AcknowledgedOffset } from "./acknowledged-offset.ts";
import type { FollowedStream, FollowingHost } from "./following-parts.ts";

export interface AcknowledgementParts {
  readonly stream: Pick<FollowedStream, "offset">;
  readonly host: Pick<FollowingHost, "durableRevision" | "syncedRevision" | "lastRevision">;
}

export class Acknowledgements {
  readonly #parts: AcknowledgementParts;
  readonly #durable = new AcknowledgedOffset();
  readonly #synced = new AcknowledgedOffset();

  constructor(parts: AcknowledgementParts) {
    this.#parts = parts;
  }

  /** Another stream, or another primary: of what there is it is to be seen whether it is durable. */
  begin(): void {
    this.#durable.begin(0);
    this.#synced.begin(0);
    this.noteApplied();
  }

  /** More of the stream is applied and recorded. */
  noteApplied(): void {
    const { stream, host } = this.#parts;
    this.#durable.note(host.lastRevision, stream.offset);
    this.#synced.note(host.lastRevision, stream.offset);
  }

  /** As it is to be sent now. */
  get command(): readonly string[] {
    const { durableRevision, syncedRevision } = this.#parts.host;
    const offset = this.#durable.at(durableRevision);
    const synced = syncedRevision === null ? 0 : this.#synced.at(syncedRevision);
    // As Redis since 7.2; older ones pass it over.
    const onDisk = synced > 0 ? ["FACK", String(synced)] : [];
    return ["REPLCONF", "ACK", String(offset), ...onDisk];
  }
}
