/**
 * A primary with data, its replica in step, the link between them, and clients that change data: how each scenario begins,
 * and how it ends: nothing under way any more, the same on both sides, and the copies that it took counted.
 */
import { agree, inStep, tail } from "./agreement.ts";
import { type Copies, FrailLink } from "./frail-link.ts";
import { Load, type LoadOptions } from "./load.ts";
import { type Keeping, Member, type MemberOptions } from "./member.ts";
import { lasting, nameOf, type Pairing, wordsOf } from "./pairs.ts";

export interface CoupleOptions {
  readonly seed: number;
  readonly primary?: Partial<MemberOptions> & { readonly keeping?: Keeping };
  readonly replica?: Partial<MemberOptions> & { readonly keeping?: Keeping };
  readonly load?: Pick<LoadOptions, "leavesOut">;
}

/** So that the first copy is one of something. */
const FIRST_CHANGES = 500;

export class Couple implements AsyncDisposable {
  readonly pairing: Pairing;
  readonly primary: Member;
  readonly replica: Member;
  readonly link: FrailLink;
  readonly load: Load;

  private constructor(
    pairing: Pairing,
    parts: Pick<Couple, "primary" | "replica" | "link" | "load">,
  ) {
    this.pairing = pairing;
    this.primary = parts.primary;
    this.replica = parts.replica;
    this.link = parts.link;
    this.load = parts.load;
  }

  static async form(pairing: Pairing, options: CoupleOptions): Promise<Couple> {
    await using parts = new AsyncDisposableStack();
    const start = async (kind: "primary" | "replica") =>
      parts.use(
        await Member.start({
          ...{ kind: pairing[kind], keeping: lasting(pairing[kind]) },
          ...options[kind],
        }),
      );
    const [primary, replica] = await Promise.all([start("primary"), start("replica")]);
    const link = parts.use(await FrailLink.open(primary.port));
    const words = wordsOf(pairing);
    const load = Load.begin(primary, { ...options.load, seed: options.seed, words });
    parts.defer(() => load.stop());
    await load.advance(FIRST_CHANGES);
    await replica.follow(link.port);
    await inStep(primary, replica);
    parts.move();
    return new Couple(pairing, { primary, replica, link, load });
  }

  get copies(): Copies {
    return this.link.copies;
  }

  /** The load is over, both hold the same. Prints what it took. */
  async settle(title: string): Promise<Copies> {
    await this.load.stop();
    await agree(this.primary, this.replica);
    return this.tell(title);
  }

  tell(title: string, copies = this.copies): Copies {
    const { full, partial } = copies;
    const done = `${this.load.doneCount} changes, ${this.link.bytes} bytes`;
    console.log(`${nameOf(this.pairing)}, ${title}: ${full} full, ${partial} partial; ${done}`);
    return copies;
  }

  /** So many times all data was copied; else fails with what both say of it. */
  requireFull(count: number): void {
    requireFull(this.copies, count, [this.primary, this.replica]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.load.stop();
    await this.link[Symbol.asyncDispose]();
    await this.replica[Symbol.asyncDispose]();
    await this.primary[Symbol.asyncDispose]();
  }
}

/** So many times all data was copied over a link between these two; else fails with what they say of it. */
export function requireFull({ full }: Copies, count: number, ends: readonly Member[]): void {
  if (full === count) return;
  throw new Error(`${full} full copies instead of ${count}:\n${ends.map(tail).join("\n")}`);
}
