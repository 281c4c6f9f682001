/** What commands call to tell of a keyspace event. While nobody wants its class it costs one comparison. */
import type { KeyEvent } from "../pubsub/event-names.ts";
import type { Session } from "../session/session.ts";
import type { KeyPlace } from "../store/key-place.ts";
import type { Arguments } from "./arguments.ts";

export { keyEvents } from "../pubsub/event-names.ts";

/** The event has happened to the key in argument `key`, in the session's database. */
export function tellKey(session: Session, event: KeyEvent, args: Arguments, key = 1): void {
  const { events } = session.server;
  if ((events.open & event.bit) === 0) return;
  events.notify(event, session.database, args.buffer, args.start[key], args.end[key]);
}

/** The same for a key of any database. */
export function tellPlace(session: Session, event: KeyEvent, place: KeyPlace): void {
  session.server.events.notify(event, place.database, place.bytes, place.start, place.end);
}
