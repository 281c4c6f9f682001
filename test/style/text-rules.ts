// The checks over the text of files: banned calls, file names, headers, sizes. Each takes source
// files and answers what is wrong, one line per finding, with what to do instead.

import { lineAt, type SourceFile } from "./sources.ts";

type BannedCall = {
  pattern: RegExp;
  /** Where the ban holds, and who inside is exempt. */
  within: RegExp;
  except?: RegExp;
  instead: string;
};

const INSIDE = /^(src|plugins|examples)\//;
const EVERYWHERE = /./;
const CLOCKED = /^src\/(store|commands)\//;
const INJECT_TIME = "take the Clock of src/platform, so that tests own the time";
const INJECT_RANDOM = "take the Random of src/platform, so that tests own the seed";

const BANNED: BannedCall[] = [
  { pattern: /\bDate\.now\b/g, within: CLOCKED, instead: INJECT_TIME },
  { pattern: /\bnew Date\(\s*\)/g, within: CLOCKED, instead: INJECT_TIME },
  { pattern: /\bperformance\.now\b/g, within: CLOCKED, instead: INJECT_TIME },
  { pattern: /\bset(Timeout|Interval)\(/g, within: CLOCKED, instead: INJECT_TIME },
  { pattern: /\bMath\.random\b/g, within: CLOCKED, instead: INJECT_RANDOM },
  {
    pattern: /\bBun\.(file|write|mmap)\(/g,
    within: INSIDE,
    except: /^src\/platform\//,
    instead: "take the Files of src/platform, so that tests own the disk",
  },
  {
    pattern: /\bconsole\.log\b/g,
    within: EVERYWHERE,
    except: /^(src\/cli|scripts|bench|test\/(oracle|replication))\//,
    instead: "use the log of src/platform; only src/cli prints for people",
  },
  {
    pattern: /\bprocess\.exit\(/g,
    within: INSIDE,
    except: /^src\/main\.ts$/,
    instead: "throw, and let src/main.ts set the exit code",
  },
  {
    pattern: /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/g,
    within: EVERYWHERE,
    instead: "an empty catch hides trouble: handle it, or rethrow what was not expected",
  },
  {
    pattern: /\.catch\(\s*(async\s*)?\(?\w*\)?\s*=>\s*\{\s*\}\s*\)/g,
    within: EVERYWHERE,
    instead: "an empty catch hides trouble: handle it, or rethrow what was not expected",
  },
  {
    pattern: /(?:[:<,|&=]|\bas|\bextends)\s*any\b(?!\s*[:(.=])/g,
    within: EVERYWHERE,
    instead: "take unknown at edges and narrow it",
  },
  {
    pattern: /^export default\b|\bas default\b/gm,
    within: EVERYWHERE,
    except: /^plugins\/[^/]+\/index\.ts$|^examples\/|\.config\.ts$/,
    instead: "name the export; only a plugin's entry has a default",
  },
];

export function bannedCalls(files: SourceFile[]): string[] {
  const findings: string[] = [];
  for (const { path, code } of files) {
    for (const { pattern, within, except, instead } of BANNED) {
      if (!within.test(path) || except?.test(path)) continue;
      for (const match of code.matchAll(pattern)) {
        const found = match[0].replace(/\s+/g, " ").trim();
        findings.push(`${path}:${lineAt(code, match.index)}: ${found}; ${instead}`);
      }
    }
  }
  return findings;
}

// Two dots: name.test.ts. Words that name no thing say only "I did not know where to put it".
const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)?\.ts$/;
const EMPTY_WORDS = /(^|[-/.])(utils?|helpers?|managers?|services?|misc)([-/.])/;

export function wrongNames(files: SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!KEBAB_CASE.test(name)) return [`${path}: name it in kebab-case`];
    if (EMPTY_WORDS.test(path)) return [`${path}: name it after the thing it is`];
    return [];
  });
}

/** Every file of src, plugins and examples opens with a comment: what it is, what it is not, what it keeps. */
export function missingHeaders(files: SourceFile[]): string[] {
  return files
    .filter(({ path, text }) => INSIDE.test(path) && header(text) === "")
    .map(({ path }) => `${path}:1: open the file with a comment that says what it is`);
}

const LONGEST_FILE_LINES = 600;
/** An example is there to be read in one go, and copied. */
const LONGEST_EXAMPLE_LINES = 99;

export function overlongFiles(files: SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lineCount = text.trimEnd().split("\n").length;
    if (path.startsWith("examples/") && lineCount > LONGEST_EXAMPLE_LINES) {
      return [`${path}: ${lineCount} lines; an example has at most ${LONGEST_EXAMPLE_LINES}`];
    }
    if (lineCount <= LONGEST_FILE_LINES || header(text).includes("longer than usual")) return [];
    return [
      `${path}: ${lineCount} lines; split it, or say in its header why it is longer than usual`,
    ];
  });
}

/** The comment that opens a file, joined into one line; empty when it opens with code. */
function header(text: string): string {
  const [comment = ""] = /^(#![^\n]*\n)?((\/\/[^\n]*\n)+|\/\*[\s\S]*?\*\/)/.exec(text) ?? [];
  return comment.replace(/\n[\s/*]*/g, " ");
}
