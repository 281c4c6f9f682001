/** What parts of the engine, the kernel and plugins add to INFO, by section; commands/info.ts shows it. */

export type InfoLines = () => Record<string, string | number>;

export class AddedInfo {
  /** By name. */
  readonly sections = new Map<string, InfoLines>();

  /** Lines of several owners in one section follow one another. */
  add(section: string, lines: InfoLines): void {
    const earlier = this.sections.get(section);
    const all = earlier === undefined ? lines : () => ({ ...earlier(), ...lines() });
    this.sections.set(section, all);
  }
}
