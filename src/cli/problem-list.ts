/** What is wrong in something that is taken over: told one by one, but for what comes after the first of them, and counted. */
import { escapeControls } from "../shell/printable.ts";
import { groupedCount } from "./grouped-count.ts";
import type { World } from "./world.ts";

/** Problems that are told one by one. */
const MAX_TOLD = 20;

export class ProblemList {
  count = 0;
  readonly #world: World;
  /** Called before a line is printed: a progress bar makes room. */
  readonly #makeRoom: () => void;

  constructor(world: World, makeRoom: () => void) {
    this.#world = world;
    this.#makeRoom = makeRoom;
  }

  async tell(text: string): Promise<void> {
    this.count++;
    if (this.count > MAX_TOLD) return;
    this.#makeRoom();
    await this.#world.printError(`${escapeControls(text)}\n`);
  }

  /** All is read: how many were not told. */
  async end(): Promise<void> {
    if (this.count > MAX_TOLD)
      await this.#world.printError(`… and ${this.count - MAX_TOLD} more\n`);
  }

  get amount(): string {
    return groupedCount(this.count, "problem");
  }
}
