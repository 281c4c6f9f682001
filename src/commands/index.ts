/** All commands of the core, group by group: the one list. */
import { authenticationCommands } from "./authentication.ts";
import { clientCommands } from "./client.ts";
import type { Command } from "./command.ts";
import { commandCommands } from "./command-info.ts";
import { configCommands } from "./config-commands.ts";
import { connectionCommands } from "./connection.ts";
import { counterCommands } from "./counters.ts";
import { databaseCommands } from "./databases.ts";
import { debugCommands } from "./debug.ts";
import { expiryCommands } from "./expiry.ts";
import { infoCommands } from "./info.ts";
import { keyMoveCommands } from "./key-moves.ts";
import { keyCommands } from "./keys.ts";
import { objectCommands } from "./object.ts";
import { scanCommands } from "./scan.ts";
import { serverCommands } from "./server-commands.ts";
import { stringCommands } from "./strings.ts";

export const coreCommands: readonly Command[] = [
  ...connectionCommands,
  ...authenticationCommands,
  ...clientCommands,
  ...stringCommands,
  ...counterCommands,
  ...databaseCommands,
  ...keyCommands,
  ...keyMoveCommands,
  ...scanCommands,
  ...expiryCommands,
  ...objectCommands,
  ...serverCommands,
  ...infoCommands,
  ...configCommands,
  ...commandCommands,
  ...debugCommands,
];
