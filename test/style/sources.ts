// Source files as the style checks see them: their text, their code (the text with comments and the
// contents of strings blanked, so that a check never trips over prose), and their imports.
//
// A scanner of our own, because Bun's leaves type imports out and arrows between folders count them.
// Not a parser: it is right for code that Biome has formatted. A test compares it with Bun's.

import { posix } from "node:path";

export type SourceFile = {
  /** Relative to the project, with forward slashes. */
  path: string;
  text: string;
  /** As long as `text`, line for line; what is blanked is spaces. */
  code: string;
  imports: Import[];
};

export type Import = {
  specifier: string;
  /** `dynamic` is `import("…")`, `worker` is `new URL("….ts", import.meta.url)`. */
  kind: "static" | "type" | "dynamic" | "worker";
  line: number;
};

const FOLDERS = ["src", "plugins", "test", "bench", "scripts", "examples"];

/** Every source file of the project but generated ones and fixtures. */
export async function readSources(root: string): Promise<SourceFile[]> {
  const glob = new Bun.Glob(`{${FOLDERS.join(",")}}/**/*.ts`);
  const paths = [...glob.scanSync({ cwd: root })].sort();
  const own = paths.filter((path) => !/\.generated\.|\/generated\/|\/fixtures\//.test(path));
  return Promise.all(
    own.map(async (path) => sourceFile(path, await Bun.file(posix.join(root, path)).text())),
  );
}

export function sourceFile(path: string, text: string): SourceFile {
  const code = blank(text);
  return { path, text, code, imports: findImports(text, code) };
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

// One alternative per token that can hold prose. `/` opens a regular expression only where a value
// may begin, which the look-behind tells from a division.
const PROSE = new RegExp(
  [
    String.raw`\/\/[^\n]*`,
    String.raw`\/\*[\s\S]*?\*\/`,
    String.raw`"(?:\\.|[^"\\\n])*"`,
    String.raw`'(?:\\.|[^'\\\n])*'`,
    String.raw`(?<=(?:^|[(,=:[!&|?{};]|=>|\breturn|\btypeof|\bcase)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])*\/`,
    "[`{}]",
  ].join("|"),
  "gm",
);
const TEMPLATE_PART = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(`|\$\{|$)/y;

/** Blanks comments and the contents of strings, templates and regular expressions. */
function blank(text: string): string {
  let code = "";
  let position = 0;
  // Braces open inside each `${…}` around the position, so that its end is told from a block's end.
  const braces: number[] = [];
  const template = (): void => {
    TEMPLATE_PART.lastIndex = position;
    const [part = "", end = ""] = TEMPLATE_PART.exec(text) ?? [];
    code += spaces(part.slice(0, part.length - end.length)) + end;
    position += part.length;
    if (end === "${") braces.push(0);
  };

  PROSE.lastIndex = 0;
  for (let match = PROSE.exec(text); match !== null; match = PROSE.exec(text)) {
    const [token] = match;
    const depth = braces.at(-1);
    code += text.slice(position, match.index);
    position = match.index + token.length;
    if (token === "`") {
      code += token;
      template();
    } else if (token === "}" && depth === 0) {
      code += token;
      braces.pop();
      template();
    } else if (token === "{" || token === "}") {
      code += token;
      if (depth !== undefined) braces[braces.length - 1] = depth + (token === "{" ? 1 : -1);
    } else if (token.startsWith("//") || token.startsWith("/*")) {
      code += spaces(token);
    } else {
      code += token.charAt(0) + spaces(token.slice(1, -1)) + token.charAt(0);
    }
    PROSE.lastIndex = position;
  }
  return code + text.slice(position);
}

function spaces(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

const QUOTED = `["'](?<specifier> *)["']`;
const IMPORT_FORMS: { kind: Import["kind"]; pattern: RegExp }[] = [
  { kind: "static", pattern: form(`^import ${QUOTED}`) },
  { kind: "static", pattern: form(`^(?:im|ex)port (?!type\\b)[^"';()=]*?\\bfrom ${QUOTED}`) },
  { kind: "type", pattern: form(`^(?:im|ex)port type\\b[^"';()=]*?\\bfrom ${QUOTED}`) },
  { kind: "dynamic", pattern: form(`\\bimport\\(\\s*${QUOTED}`) },
  { kind: "worker", pattern: form(`\\bnew URL\\(\\s*${QUOTED},\\s*import\\.meta\\.url`) },
];

function form(pattern: string): RegExp {
  return new RegExp(pattern, "gmd"); // d: where the group lies, for its contents are in the text only
}

function findImports(text: string, code: string): Import[] {
  const imports: Import[] = [];
  for (const { kind, pattern } of IMPORT_FORMS) {
    for (const match of code.matchAll(pattern)) {
      const [start, end] = match.indices?.groups?.["specifier"] ?? [0, 0];
      const specifier = text.slice(start, end);
      if (kind === "worker" && !specifier.endsWith(".ts")) continue;
      imports.push({ specifier, kind, line: lineAt(text, start) });
    }
  }
  return imports.sort((a, b) => a.line - b.line);
}
