/** What is no RDB: cut off, against its format, or of a type that this kvdb does not know. */
export class RdbDamage extends Error {
  constructor(text: string) {
    super(text);
    this.name = "RdbDamage";
  }
}
