import { expect, test } from "bun:test";
import { readReport } from "../../../scripts/junit.ts";

// As bun 1.4.5 wrote it, shortened.
const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="4" assertions="1" failures="1" skipped="2" time="0.004">
  <testsuite name="test/a.test.ts" file="test/a.test.ts" tests="4" failures="1" skipped="2">
    <testcase name="a > b" classname="" time="0.000007" file="test/a.test.ts" line="2" />
    <testcase name="not yet" classname="" time="0" file="test/a.test.ts" line="2">
      <skipped message="TODO" />
    </testcase>
    <testsuite name="group" file="test/a.test.ts" line="3" tests="2" failures="1" skipped="1">
      <testcase name="bad" classname="x &amp; &lt;y&gt;" file="test/a.test.ts" line="3">
        <failure type="AssertionError" message="expected&#10;">expected &lt;skipped /&gt;&#10;  at a.test.ts&#10;</failure>
      </testcase>
      <testcase name="slow" classname="x &amp; &lt;y&gt;" file="test/a.test.ts" line="4">
        <failure type="TimeoutError" message="test timed out" />
      </testcase>
      <testcase name="in &quot;group&quot;" classname="group" file="test/b.test.ts" line="3">
        <skipped />
      </testcase>
    </testsuite>
  </testsuite>
</testsuites>`;

test("counts and names what passed, failed and was skipped", () => {
  expect(readReport(REPORT)).toEqual({
    passedCount: 1,
    failed: [
      { name: "test/a.test.ts: x & <y> > bad", message: "expected <skipped />\n  at a.test.ts" },
      { name: "test/a.test.ts: x & <y> > slow", message: "test timed out" },
    ],
    skipped: ["test/a.test.ts: not yet", 'test/b.test.ts: group > in "group"'],
    files: new Set(["test/a.test.ts", "test/b.test.ts"]),
  });
});

test("an empty report has no test", () => {
  expect(readReport("").passedCount).toBe(0);
});
