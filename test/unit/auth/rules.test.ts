/** That what is told of a user makes the same user again, in whatever order its rules came. */
import { expect, test } from "bun:test";
import { ACL_CATEGORIES } from "../../../src/commands/acl-categories.ts";
import { coreCommands } from "../../../src/commands/index.ts";
import { seededRandom } from "../../../src/platform/random.ts";
import { EngineHarness } from "../../suites/engine-harness.ts";

const random = seededRandom(4);
function pick<Item>(items: readonly Item[]): Item {
  return items[random.below(items.length)] as Item;
}
const names = coreCommands.map(({ name }) => name.toLowerCase());

function rule(): string {
  const sign = pick(["+", "-"]);
  switch (random.below(6)) {
    case 0:
      return `${sign}@all`;
    case 1:
    case 2:
      return `${sign}@${pick(ACL_CATEGORIES)}`;
    case 3:
      return `+${pick(["get", "select", "ping"])}|${pick(["0", "X"])}`;
    default:
      return sign + pick(names);
  }
}

test("ACL LIST and ACL GETUSER tell rules that make the same user", () => {
  const db = new EngineHarness({ auditEvery: 0 });
  for (let round = 0; round < 200; round++) {
    const rules = Array.from({ length: random.below(8) }, rule);
    expect(db.run("ACL", "SETUSER", "one", "reset", ...rules)).toBe("OK");
    const told = (db.run("ACL", "LIST") as string[])[1]?.split(" ").slice(2) ?? [];
    expect(db.run("ACL", "SETUSER", "two", "reset", ...told)).toBe("OK");
    const [, one, two] = db.run("ACL", "LIST") as [string, string, string];
    expect([rules, two.replace("user two", "user one")]).toEqual([rules, one]);
    for (const name of Array.from({ length: 30 }, () => pick(names))) {
      const words = [...name.split("|"), ...Array.from({ length: 8 }, () => "1")];
      const answers = ["one", "two"].map((user) => db.run("ACL", "DRYRUN", user, ...words));
      expect([rules, name, answers[1]]).toEqual([rules, name, answers[0]]);
    }
  }
}, 60_000);
