/**
 * Keyspace events of an engine in a test: in the place of subscribers somebody who notes them, `event key`, with the
 * database in front when it is not 0.
 */
import type { EventDelivery, KeyEvents } from "../../../src/pubsub/key-events.ts";

export class RecordedEvents implements EventDelivery {
  hasSubscribers = true;
  /** Channel, message and what the message waits for. */
  readonly messages: { channel: string; message: string; hold: number }[] = [];

  /** Listens to events of these classes. */
  constructor(events: KeyEvents, classes = "Anm") {
    events.delivery = this;
    events.setFlags(`E${classes}`);
  }

  publish(channel: Uint8Array, message: Uint8Array, hold: number): number {
    const [name, text] = [channel, message].map((bytes) => Buffer.from(bytes).toString("latin1"));
    this.messages.push({ channel: name as string, message: text as string, hold });
    return 1;
  }

  /** Held for nothing: who publishes in between is no part of these tests. */
  queue(channel: Uint8Array, message: Uint8Array): number {
    return this.publish(channel, message, 0);
  }

  /** Nothing is queued here. */
  forget(): void {}

  /** What came since the last call. */
  take(): string[] {
    return this.messages.splice(0).map(({ channel, message }) => {
      const [, database, event] = /^__keyevent@(\d+)__:(.*)$/.exec(channel) ?? [];
      return `${database === "0" ? "" : `${database} `}${event} ${message}`;
    });
  }
}
