// Reads the JUnit report that `bun test --reporter=junit` writes. Not a general XML parser: it knows
// bun's two shapes of a test case, `<testcase … />` (passed) and `<testcase …>…</testcase>` with a
// <failure>, <error> or <skipped> inside.

export type Report = {
  passedCount: number;
  failed: Failure[];
  /** Names as "file: group > test". */
  skipped: string[];
  /** Paths of the test files that ran, relative to the project. */
  files: Set<string>;
};

export type Failure = {
  /** As of those that were skipped. */
  name: string;
  /** What the test threw, with the place: several lines. */
  message: string;
};

// Attribute values hold no bare `<` or `"`, but may hold `>`; so they are matched with their quotes.
const TEST_CASE = /<testcase((?:\s+[\w-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;

// A test that ran out of time says so in the attribute alone.
const FAILURE = /<(?:failure|error)\b((?:\s+[\w-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/)/;

export function readReport(xml: string): Report {
  const report: Report = { passedCount: 0, failed: [], skipped: [], files: new Set() };
  for (const [, attributes = "", body = ""] of xml.matchAll(TEST_CASE)) {
    const file = attribute(attributes, "file");
    const group = attribute(attributes, "classname");
    const name = attribute(attributes, "name");
    const title = `${file}: ${group === "" ? name : `${group} > ${name}`}`;
    report.files.add(file);
    const failure = FAILURE.exec(body);
    if (failure !== null) report.failed.push({ name: title, message: messageOf(failure) });
    else if (body.includes("<skipped")) report.skipped.push(title);
    else report.passedCount += 1;
  }
  return report;
}

function messageOf([, attributes = "", body]: RegExpExecArray): string {
  return body === undefined ? attribute(attributes, "message") : decodeEntities(body).trim();
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return decodeEntities(value);
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code?: string, name?: string) => {
    if (code !== undefined) return String.fromCodePoint(Number(code));
    return ENTITIES[name ?? ""] ?? whole;
  });
}
