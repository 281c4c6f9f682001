/**
 * The frame of one record inside a RecordBatch, in memory and on disk alike. A record is one deterministic change: the
 * RESP arrays of one command, or of all commands of a transaction, which is why it is applied whole or not at all.
 *
 *   offset  0   u32  payload length in bytes, little endian
 *           4   u16  database
 *           6   u16  milliseconds after the batch's timeMs, at most 65535
 *           8   payload: one or more RESP arrays of bulk strings, `*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n`; where the
 *               persistence wants Redis's words, with lines in front of them that begin with # (annotations.ts)
 *
 * The revision is not stored: it is the batch's firstRevision plus the position of the record in the batch.
 */
export const RECORD_HEADER_BYTES = 8;

/** Longest payload: a 512 MiB string with room for its command. Anything longer on disk is damage. */
export const MAX_RECORD_BYTES = 1 << 30;
