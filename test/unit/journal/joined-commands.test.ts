/** The bound on what one command's calls may put into its record. */
import { expect, test } from "bun:test";
import { CommandWriter } from "../../../src/journal/effects.ts";
import { JoinedCommands } from "../../../src/journal/joined-commands.ts";

test("is full beyond the bound, and empty again for the next command", () => {
  const joined = new JoinedCommands(100);
  joined.begin(0);
  const commands = new CommandWriter();
  while (commands.size < 50) commands.command(2);
  commands.size = 50;
  joined.add(commands, 0);
  joined.add(commands, 0);
  expect(joined.isFull).toBe(false);
  joined.select(1);
  expect(joined.isFull).toBe(true);
  joined.begin(0);
  expect(joined.isFull).toBe(false);
});
