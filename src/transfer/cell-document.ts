/**
 * The document that the cells of a record make, as JSON text. The order of the fields is that of their columns; a field within
 * an object is where the first of its object's columns is.
 */
import { MAX_JSON_DEPTH } from "../limits.ts";
import { JsonScanner } from "../store/json-text.ts";
import { ItemProblem } from "./entry.ts";

/** A column, or fields within an object. */
type Node =
  | { readonly name: string; readonly column: number }
  | { readonly name: string; readonly below: Node[] };

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const WORDS: ReadonlySet<string> = new Set(["true", "false", "null"]);

export class CellDocument {
  readonly #isText: boolean;
  readonly #root: Node[] = [];
  readonly #scanner = new JsonScanner();

  /** Of each column the names of its field; undefined: it is none. Throws an ItemProblem. */
  constructor(columns: readonly (readonly string[] | undefined)[], isText: boolean) {
    this.#isText = isText;
    for (const [column, names] of columns.entries())
      if (names !== undefined) this.#add(names, column);
  }

  #add(names: readonly string[], column: number): void {
    if (names.length >= MAX_JSON_DEPTH) throw new ItemProblem("a column of too many names");
    let nodes = this.#root;
    for (const name of names.slice(0, -1)) {
      let found = nodes.find((node) => node.name === name && "below" in node);
      if (found === undefined) {
        found = { name, below: [] };
        nodes.push(found);
      }
      nodes = (found as { below: Node[] }).below;
    }
    const name = names.at(-1) as string;
    const isThere = nodes.some((node) => node.name === name && "column" in node);
    if (isThere) throw new ItemProblem(`the field ${JSON.stringify(names.join("."))} comes twice`);
    nodes.push({ name, column });
  }

  /** Throws an ItemProblem when a field is a value and an object. */
  text(cells: readonly string[]): string {
    return this.#object(this.#root, cells) ?? "{}";
  }

  /** Undefined: none of the cells has anything. */
  #object(nodes: readonly Node[], cells: readonly string[]): string | undefined {
    const texts: string[] = [];
    const names = new Set<string>();
    for (const node of nodes) {
      const value =
        "column" in node ? this.#cell(cells[node.column] ?? "") : this.#object(node.below, cells);
      if (value === undefined) continue;
      const name = JSON.stringify(node.name);
      if (names.has(name)) throw new ItemProblem(`the field ${name} is a value and an object`);
      names.add(name);
      texts.push(`${name}:${value}`);
    }
    return texts.length === 0 ? undefined : `{${texts.join(",")}}`;
  }

  #cell(cell: string): string | undefined {
    if (cell === "") return undefined;
    if (this.#isText) return JSON.stringify(cell);
    if (WORDS.has(cell) || NUMBER.test(cell)) return cell;
    return (cell[0] === "{" || cell[0] === "[") && this.#isJson(cell) ? cell : JSON.stringify(cell);
  }

  #isJson(cell: string): boolean {
    const bytes = Buffer.from(cell);
    return this.#scanner.scan(bytes, 0, bytes.length);
  }
}
