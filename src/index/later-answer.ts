/** The answer of a command whose work may take longer than a turn: at once where nobody can wait, or where it is short. */
import type { Reply } from "../commands/reply.ts";
import type { Session } from "../session/session.ts";
import { runWhole, type SlicedWork } from "../session/sliced-work.ts";

/** Steps that are done before anybody is let wait: what is short needs no further turn. */
const FIRST_STEPS = 8;

/** Runs `work`; then `finish` does what is to be recorded, like a command of its own, and answers how to reply. */
export function answerAfter(
  session: Session,
  reply: Reply,
  work: SlicedWork,
  finish: () => (reply: Reply) => void,
): void {
  let steps = 0;
  const isShort = work.step(() => ++steps >= FIRST_STEPS);
  if (!isShort && !session.mayWait) runWhole(work);
  if (isShort || !session.mayWait) {
    finish()(reply);
    return;
  }
  const { server } = session;
  const later = session.answerLater({ outlivesInput: true });
  let isWanted = true;
  if (work.isForAnswer) later.onAbandoned = () => (isWanted = false);
  server.slices.begin({
    changesMemory: work.changesMemory,
    step: (exhausted) => {
      if (!isWanted) return true;
      if (!work.step(exhausted)) return false;
      server.perform(session, () => later.settle(finish()));
      return true;
    },
  });
}
