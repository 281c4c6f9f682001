#!/usr/bin/env -S bun --no-env-file
// The command `kvdb` of the npm package: the sources on the Bun that is installed. As in the
// executable, no .env file of the current folder may change what it does.
import "../src/main.ts";
