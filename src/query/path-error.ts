/** What is wrong with a path into a document, or makes it too costly: whoever was given the path tells its user. */

export class PathError extends Error {
  constructor(text: string) {
    super(text);
    this.name = "PathError";
  }
}
